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
        using var sender = new EngineApplication(_site, "10.0.0.1");
        using var receiver = new EngineApplication(_site, "10.0.0.2");
        EngineApplication.Connect(sender, receiver);

        var since = Stopwatch.GetTimestamp();
        sender.Post(WorkRequestOpcode.Send, 0, 64, receiver);
        Thread.Sleep(300);
        var naks = _site.Engine.Statistics.RnrNaks;
        var most = Prompt + (Stopwatch.GetElapsedTime(since).TotalMilliseconds / MillisecondsBetween);

        Assert.InRange(naks, 1, (long)most);
        receiver.PostReceive(0, 64);
        Assert.Equal(WorkCompletionStatus.Success, sender.Take().Status);
    }

    public void Dispose() => _site.Dispose();
}
