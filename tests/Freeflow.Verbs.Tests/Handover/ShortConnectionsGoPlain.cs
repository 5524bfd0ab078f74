using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;
using Microsoft.Extensions.Time.Testing;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class ShortConnectionsGoPlain : PairTest
{
    private const int Port = 80;
    private const int AlwaysPort = 81;
    private const int InARow = 4;

    private static readonly TimeSpan s_forgetAfter = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _clock = new();

    protected override HandoverOptions AdjustClient(HandoverOptions options) => options with
    {
        Mode = AccelerationMode.Learned,
        ShortInARow = InARow,
        ShortBytes = 1000,
        ShortTime = TimeSpan.FromMilliseconds(20),
        ForgetAfter = s_forgetAfter,
        SilenceTimeout = s_forgetAfter * 10,
        Time = _clock,
        Always = new HashSet<Destination> { new(Addresses.Of(HandoverPair.ServerAddress), AlwaysPort) },
    };

    [Fact]
    public void AfterSoManyInARowForAWhile()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        EndFlows(route, InARow);
        Application.Await(route, PlainReason.Short);
        Assert.Equal(1, AtClient.LearntShort);
        _clock.Advance(s_forgetAfter);
        Application.Await(route, PlainReason.None);
        EndFlows(route, InARow - 1);
        AnsweredAs(route, PlainReason.None);
        EndFlows(route, 1);
        Application.Await(route, PlainReason.Short);
    }

    [Fact]
    public void ForAllProcessesOfTheContainer()
    {
        using var server = Pair.Listen(Port);
        using var other = new HandoverApplication(Pair.ClientSite, Pair.Client);
        var route = Pair.Route(Port);
        var ofOther = other.Resolve(HandoverPair.ServerAddress, Port);
        EndFlows(route, InARow);
        other.Await(ofOther, PlainReason.Short);
    }

    [Fact]
    public void ForTheOneDestinationOnly()
    {
        using var server = Pair.Listen(Port);
        using var other = Pair.Listen(Port + 10);
        var (route, ofOther) = (Pair.Route(Port), Pair.Route(Port + 10));
        EndFlows(route, InARow);
        Application.Await(route, PlainReason.Short);
        AnsweredAs(ofOther, PlainReason.None);
    }

    [Theory]
    [InlineData(1001, 1)]
    [InlineData(1, 21)]
    public void NotWithALongOneAmongThem(long bytes, int milliseconds)
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        EndFlows(route, InARow - 1);
        Application.EndFlow(route, bytes, milliseconds);
        EndFlows(route, InARow - 1);
        AnsweredAs(route, PlainReason.None);
        Assert.Equal(0, AtClient.LearntShort);
    }

    [Fact]
    public void AlsoByWhatTheNextConnectTellsOfTheLast()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        for (var i = 0; i < InARow; i++)
        {
            var socket = Application.Want(route).Sockets[0];
            Application.Tell(new ShimNote { Type = NoteType.Connect, Flags = NoteFlags.Sample, Route = route, Socket = socket.Number, Bytes = 1, Milliseconds = 1 });
            WaitFor.That("the announcement", () => AtClient.Announced == i + 1);
            while (Application.TryReceive() is { } more)
                more.Dispose();
        }

        Application.Await(route, PlainReason.Short);
    }

    [Fact]
    public void NotWhereTheOperatorSaysAlways()
    {
        using var server = Pair.Listen(AlwaysPort);
        var route = Pair.Route(AlwaysPort);
        EndFlows(route, InARow * 2);
        AnsweredAs(route, PlainReason.None);
    }

    [Fact]
    public void AndTheirHistoriesAreNotKeptForEver()
    {
        const int destinations = 5000;
        for (var i = 0; i < destinations; i++)
            Application.EndFlow(Application.Resolve("10.244.3.1", 1 + i, replace: i == 0 ? HandoverApplication.NoRoute : 0), 1, 1);
        Assert.InRange(Pair.Client.Histories.Count, 0, 4096);
        _clock.Advance(s_forgetAfter * 2);
        WaitFor.That("the end of the histories", () => Pair.Client.Histories.Count == 0, () => $"{Pair.Client.Histories.Count} left");
    }

    private void EndFlows(uint route, int count)
    {
        for (var i = 0; i < count; i++)
            Application.EndFlow(route, 100, 1);
    }

    /// <summary>Notes are taken in order, so that an answer to a later one tells that the earlier ones were.</summary>
    private void AnsweredAs(uint route, PlainReason reason)
    {
        using var lot = Application.Want(route);
        Assert.Equal(reason, lot.Reason);
    }
}
