namespace Freeflow.Verbs.Engine;

/// <summary>How fast a container may send: by its own limit, and by that of its tenant, which others share.</summary>
public sealed class ContainerRates
{
    private volatile RateLimit _tenant = new();

    public RateLimit Own { get; } = new();

    /// <summary>Any thread may set it.</summary>
    public RateLimit Tenant
    {
        get => _tenant;
        set => _tenant = value;
    }
}
