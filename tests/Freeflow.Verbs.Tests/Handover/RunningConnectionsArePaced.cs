using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Handover.Pacing;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>By the kernel, in sockets that others have; they are asked what they may send.</summary>
public sealed class RunningConnectionsArePaced : PairTest
{
    private const int Port = 80;
    private const int SocketLevel = 1;
    private const int MaximumPacingRate = 47;
    private const uint Unlimited = uint.MaxValue;
    private const int Limit = 4_000_000;

    [Fact]
    public void WhenTheirContainersLimitChangesAndNoLongerWhenItIsGone()
    {
        Pair.Client.Limit(Limit, null, null);
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var client = Application.Connect(route);
        using var served = server.Accept().Socket;
        Assert.Equal(Limit, PacingOf(client));
        Pair.Client.Limit(Limit / 2, null, null);
        Await(client, Limit / 2);
        Pair.Client.Limit(Limit * 2, null, null);
        Await(client, Limit * 2);
        Assert.Equal(Unlimited, PacingOf(served));
        Pair.Client.Limit(0, null, null);
        Await(client, Unlimited);
    }

    [Fact]
    public void ByWhatTheyAreTogether()
    {
        Pair.Client.Limit(Limit, null, null);
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var one = Application.Connect(route);
        var other = Application.Connect(route);
        using var servedOne = server.Accept().Socket;
        using var servedOther = server.Accept().Socket;
        Await(one, Limit / 2);
        Await(other, Limit / 2);
        other.Dispose();
        servedOther.Dispose();
        Await(one, Limit);
    }

    [Fact]
    public void ByTheirTenantsLimitToo()
    {
        var tenant = new PacedGroup { Limit = Limit };
        Pair.Client.Limit(0, null, null, tenant);
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var served = server.Accept().Socket;
        Await(client, Limit);
        tenant.Limit = Limit / 4;
        Await(client, Limit / 4);
        Pair.Client.Limit(Limit / 8, null, null, tenant);
        Await(client, Limit / 8);
        Pair.Client.Limit(0, null, null);
        Await(client, Unlimited);
    }

    [Fact]
    public void ThoseThatWereThereBefore()
    {
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var served = server.Accept().Socket;
        Assert.Equal(Unlimited, PacingOf(client));
        WaitFor.That("the connection was announced", () => !Pair.ClientSite.Flows.IsEmpty);
        Assert.True(Pair.ClientSite.Flows.TryPeek(out var flow));
        Pair.Client.Limit(Limit, null, null);
        Pair.ClientSite.Loop.Pacer.Add(Pair.Client, flow.Cookie, 0);
        Await(client, Limit);
    }

    [Fact]
    public void ButALowerRateOfTheProgramsOwnStays()
    {
        Pair.Client.Limit(Limit, null, null);
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var served = server.Accept().Socket;
        SetPacing(client, Limit / 10);
        Pair.Client.Limit(Limit / 2, null, null);

        // A higher one does not.
        using var other = Application.Connect(Pair.Route(Port));
        using var servedOther = server.Accept().Socket;
        SetPacing(other, Limit * 10);
        WaitFor.That($"at most {Limit / 2} bytes a second", () => PacingOf(other) <= Limit / 2, () => $"{PacingOf(other)}");
        Assert.Equal(Limit / 10, PacingOf(client));
    }

    private static void Await(HandedSocket socket, long rate) =>
        WaitFor.That($"{rate} bytes a second", () => PacingOf(socket) == rate, () => $"{PacingOf(socket)}");

    private static long PacingOf(HandedSocket socket)
    {
        Span<byte> rate = stackalloc byte[4];
        socket.Socket.GetRawSocketOption(SocketLevel, MaximumPacingRate, rate);
        return BitConverter.ToUInt32(rate);
    }

    private static void SetPacing(HandedSocket socket, int rate) => socket.Socket.SetRawSocketOption(SocketLevel, MaximumPacingRate, BitConverter.GetBytes(rate));
}
