using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>A test with two engines and a data link between them.</summary>
[Trait("Tier", "Loop")]
public abstract class TwoEngines : IAsyncLifetime
{
    protected EngineSite Here { get; } = new();

    protected EngineSite There { get; } = new();

    /// <summary>Whether the link is encrypted.</summary>
    protected virtual bool Encrypts => false;

    public Task InitializeAsync() => EngineSite.LinkAsync(Here, There, Encrypts);

    public Task DisposeAsync()
    {
        Here.Dispose();
        There.Dispose();
        return Task.CompletedTask;
    }
}
