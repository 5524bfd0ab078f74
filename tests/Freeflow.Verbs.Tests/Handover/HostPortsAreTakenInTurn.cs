using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class HostPortsAreTakenInTurn
{
    private static readonly Ipv4 s_loopback = Ipv4.From(System.Net.IPAddress.Loopback)!.Value;

    [Fact]
    public void AroundTheRange()
    {
        var range = new PortRange(26000, 26002, start: 2);
        Assert.Equal([26002, 26000, 26001, 26002], Enumerable.Range(0, 4).Select(_ => BindAndClose(range)));
    }

    [Fact]
    public void PassingOverThoseInUse()
    {
        var range = new PortRange(26010, 26012, start: 0);
        var held = HostSocket.Open(ipv6: false);
        Assert.Equal(26010, range.Bind(held, ipv6: false, s_loopback));
        BindAndClose(range);
        BindAndClose(range);
        Assert.Equal(26011, BindAndClose(range));
        HostSocket.Close(held);
    }

    /// <summary>Closed connections leave rows of ports that rest; one longer than a search must not look like the end.</summary>
    [Fact]
    public void BeyondLongRowsInUse()
    {
        const int Row = 200;
        var range = new PortRange(26100, 26100 + 3 * Row, start: 0);
        var held = Enumerable.Range(0, Row).Select(_ => HostSocket.Open(ipv6: false)).ToArray();
        foreach (var socket in held)
            range.Bind(socket, ipv6: false, s_loopback);
        var again = new PortRange(26100, 26100 + 3 * Row, start: 0);
        Assert.InRange(BindAndClose(again), 26100 + Row, 26100 + 3 * Row);
        foreach (var socket in held)
            HostSocket.Close(socket);
    }

    [Fact]
    public void UntilNoneIsLeft()
    {
        var range = new PortRange(26020, 26020, start: 0);
        var held = HostSocket.Open(ipv6: true);
        Assert.Equal(26020, range.Bind(held, ipv6: true, s_loopback));
        Assert.Equal(0, BindAndClose(range));
        HostSocket.Close(held);
    }

    private static int BindAndClose(PortRange range)
    {
        var socket = HostSocket.Open(ipv6: false);
        var port = range.Bind(socket, ipv6: false, s_loopback);
        HostSocket.Close(socket);
        return port;
    }
}
