using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class HostPortsRunOut : PairTest
{
    private const int Port = 80;
    private const int Ports = 6;

    private readonly List<HandedSocket> _held = [];

    protected override HandoverOptions AdjustClient(HandoverOptions options) => options with { LocalPorts = (20000, 20000 + Ports - 1) };

    [Fact]
    public void WhenEachHasAConnection()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        for (var i = 0; i < Ports; i++)
            _held.Add(Application.Connect(route));
        Assert.Equal(PlainReason.NoPorts, Application.Refusal(route));
        Assert.Equal(Enumerable.Range(20000, Ports), _held.Select(socket => (int)socket.Ends.LocalPort).Order());
    }

    [Fact]
    public void AndComeBackWhenOneIsClosed()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        for (var i = 0; i < Ports; i++)
            _held.Add(Application.Take(route));
        Assert.Equal(PlainReason.NoPorts, Application.Refusal(route));
        _held[2].Dispose();
        using var again = TakeOnce(route);
        Assert.InRange(again.Ends.LocalPort, 20000, 20000 + Ports - 1);
    }

    /// <summary>A process that is being started has all of this one's descriptors until it runs its program: so the port may be taken a moment longer.</summary>
    private HandedSocket TakeOnce(uint route) => WaitFor.Answer("the port of a socket that was closed", () =>
    {
        var lot = Application.Want(route);
        return lot.Sockets.Count == 1 ? lot.Only : null;
    });

    [Fact]
    public void WhichIsNotSaidUnasked()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        for (var i = 0; i < Ports; i++)
            _held.Add(Application.Connect(route));
        Assert.Null(Application.TryReceive());
    }
}
