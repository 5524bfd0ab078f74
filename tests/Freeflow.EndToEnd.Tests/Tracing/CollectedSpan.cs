namespace Freeflow.EndToEnd.Tests.Tracing;

/// <summary>A span as the collector shows it (tests/Programs/collector/ReceivedSpan.cs).</summary>
public sealed record CollectedSpan(
    string Protocol, Dictionary<string, string> Resource, string Name, string Trace, string Id, string Parent, long Kind, long Status, Dictionary<string, string> Attributes)
{
    public const long Error = 2;

    /// <summary>h1 or h2.</summary>
    public string Host => Resource["service.instance.id"].Split('@')[^1];
}
