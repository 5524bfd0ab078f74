using Freeflow.Actors.Inspection;
using Freeflow.Actors.Roll;
using Freeflow.Router.Control;
using Freeflow.Router.Dashboard.Live;
using Freeflow.Router.Events;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Tests.Dashboard;

public sealed class EachPartIsAskedForItself
{
    private readonly RouterLiveSource _source = new("model", "192.0.2.1", ClusterTrust.Of(hasCertificates: true, null), new Answers(), new ActorRoll(), new EngineStatistics(), new HandoverStatistics());

    [Fact]
    public async Task OneThatHasNoAnswerLeavesTheOthers()
    {
        var sections = (await _source.LookAsync(withActors: true, CancellationToken.None)).ToDictionary(section => section.Name);
        Assert.Equal(["actors", "containers", "events", "flows", "members", "mrs", "plain", "qps", "reasons"], sections.Keys.Order());
        Assert.Equal((null, "the router's inspector did not answer"), (sections["containers"].Rows, sections["containers"].Problem));
        Assert.All((string[])["flows", "plain", "reasons"], name => Assert.Equal((null, "InvalidOperationException"), (sections[name].Rows, sections[name].Problem)));
        Assert.Equal("192.0.2.1:4480", Assert.Single(sections["members"].Rows!).Key);
        Assert.Equal((9, "0x1f00"), (sections["mrs"].Total, Assert.Single(sections["mrs"].Rows!).Key));
        Assert.Equal((7, "2 parts of the router have not answered in time"), (sections["qps"].Total, sections["qps"].Problem));
    }

    [Fact]
    public async Task OfTheEventsTheNewestOnes()
    {
        var events = (await _source.LookAsync(withActors: false, CancellationToken.None)).Single(section => section.Name == "events");
        Assert.Equal(300, events.Rows!.Count);
        Assert.Equal("1000", events.Rows[^1].Key);
    }

    [Fact]
    public async Task RatesComeWithTheSecondLook()
    {
        Assert.Null(Row(await _source.LookAsync(withActors: false, CancellationToken.None)).SendsRate);
        Assert.True(Row(await _source.LookAsync(withActors: false, CancellationToken.None)).SendsRate > 0);
    }

    private static QueuePairRow Row(IReadOnlyList<Section> sections) => (QueuePairRow)Assert.Single(sections.Single(section => section.Name == "qps").Rows!).Row;

    private sealed class Answers : IControlAnswers
    {
        private uint _sends;

        public Task<object> AnswerAsync(ControlRequest request, CancellationToken stop) => request.Name switch
        {
            "members" => Task.FromResult<object>(new MembersAnswer([new MemberAnswer("192.0.2.1:4480", "Up", true, 1, true, "own", "own")])),
            "containers" => throw new ControlException("the router's inspector did not answer"),
            "qps" => Task.FromResult<object>(new QueuePairsAnswer([new QueuePairAnswer(QueuePair(_sends += 100), "default", "10.0.0.1")], 7, 2)),
            "mrs" => Task.FromResult<object>(new MemoryRegionsAnswer(
                [new MemoryRegionAnswer(new MemoryRegionSeen("1", 17, 0x1f00, "0x7f0000000000", 4096, "LOCAL_WRITE"), "default", "10.0.0.1")], 9, 0)),
            "events" => Task.FromResult<object>(new EventsAnswer([.. Enumerable.Range(1, 1000).Select(Event)], 1000)),
            _ => throw new InvalidOperationException("a test's"),
        };

        private static QueuePairSeen QueuePair(uint sends) => new("1", 0, 17, "RC", "RTS", "10.0.0.1", "10.0.0.2", 18, null, sends, 0, 0);

        private static RecordedEvent Event(int number) => new(number, DateTime.UnixEpoch, 1, "router-ready", "info", "", new Dictionary<string, string>(), 0);
    }
}
