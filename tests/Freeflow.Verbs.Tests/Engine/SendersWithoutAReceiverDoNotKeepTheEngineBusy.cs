using System.Diagnostics;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>RNR retries without end at the shortest timer: the specification's least wait is 10 µs, but longer ones are as good.</summary>
public sealed class SendersWithoutAReceiverDoNotKeepTheEngineBusy : IDisposable
{
    private const double MillisecondsBetween = 0.64;
    private const int Prompt = 16;

    private readonly EngineSite _site = new();

    [Fact]
    public void ButAreHeardOnceThereIsOne()
    {
        using var pair = new EnginePair(_site, _site);

        var since = Stopwatch.GetTimestamp();
        pair.One.Post(WorkRequestOpcode.Send, 0, 64, pair.Other);
        // The test measures a rate: it needs time to measure it over.
        Thread.Sleep(300);
        var naks = _site.Engine.Statistics.RnrNaks;
        var most = Prompt + (Stopwatch.GetElapsedTime(since).TotalMilliseconds / MillisecondsBetween);

        Assert.InRange(naks, 1, (long)most);
        pair.Other.PostReceive(0, 64);
        Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
    }

    public void Dispose() => _site.Dispose();
}
