using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>A test with two hosts of its own.</summary>
[Trait("Tier", "Loop")]
public abstract class PairTest : IAsyncLifetime
{
    protected HandoverPair Pair { get; private set; } = null!;

    protected HandoverApplication Application => Pair.Application;

    protected HandoverStatistics AtClient => Pair.ClientSite.Statistics;

    protected HandoverStatistics AtServer => Pair.ServerSite.Statistics;

    public async Task InitializeAsync() => Pair = await HandoverPair.StartAsync(AdjustClient, AdjustServer, Encrypts);

    public Task DisposeAsync()
    {
        var defects = Pair.ClientSite.News.Concat(Pair.ServerSite.News).Where(news => news.Contains("a defect")).ToArray();
        Pair.Dispose();
        Assert.Empty(defects);
        return Task.CompletedTask;
    }

    /// <summary>Whether the link between them is encrypted.</summary>
    protected virtual bool Encrypts => false;

    protected virtual HandoverOptions AdjustClient(HandoverOptions options) => options;

    protected virtual HandoverOptions AdjustServer(HandoverOptions options) => options;

    /// <summary>Waits until a figure has a value, and sees that it is no other.</summary>
    protected static void Becomes(long value, Func<long> figure, string name)
    {
        WaitFor.That($"{value} {name}", () => figure() >= value, () => $"{figure()}");
        Assert.Equal(value, figure());
    }
}
