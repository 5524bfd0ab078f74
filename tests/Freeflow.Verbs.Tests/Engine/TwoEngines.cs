using Freeflow.Lab;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
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

    /// <summary>Two applications that are connected: one of <see cref="Here"/>'s, and one of the same engine's or of <see cref="There"/>'s.</summary>
    protected EnginePair Connected(bool isLocal, byte timeout = 14, byte retries = 7, byte rnrRetries = 7) =>
        new(Here, isLocal ? Here : There, timeout, retries, rnrRetries);

    /// <summary>Waits until a QP is in the error state; the completion that tells why may come before.</summary>
    protected static void AwaitError(EngineQueuePair queuePair) =>
        WaitFor.That("the QP in the error state", () => queuePair.State == QueuePairState.Error, () => $"{queuePair.State}");

    public Task InitializeAsync() => EngineSite.LinkAsync(Here, There, Encrypts);

    public Task DisposeAsync()
    {
        Here.Dispose();
        There.Dispose();
        return Task.CompletedTask;
    }
}
