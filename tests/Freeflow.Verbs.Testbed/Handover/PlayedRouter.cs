using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;
using System.Net;
using System.Net.Sockets;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>A member whose part the test plays: it says on its link, and connects from its address, whatever the test wants.</summary>
public sealed class PlayedRouter : IDisposable
{
    private readonly HandoverSite _to;
    private readonly AuthenticatedLink _link;

    private PlayedRouter(HandoverSite to, Ipv4 address, int number, AuthenticatedLink link)
    {
        (_to, Address, Number, _link) = (to, address, number, link);
    }

    public Ipv4 Address { get; }

    /// <summary>As the host that it talks to calls it.</summary>
    public int Number { get; }

    public static async Task<PlayedRouter> StartAsync(HandoverSite to)
    {
        var address = Addresses.NextHost();
        var number = to.Meet(address);
        var link = await to.DialAsync(address);
        to.Await($"link up {number}");
        return new PlayedRouter(to, address, number, link);
    }

    internal void Hello(uint version = HandoverFrame.CurrentVersion) => Say(new HandoverFrame
    {
        Type = HandoverFrameType.Hello,
        Version = version,
        DestinationPort = HandoverSite.Port,
        SourcePort = HandoverSite.Ipv6Port,
    });

    internal void ListenerUp(string address, int port, HandoverFlags flags = HandoverFlags.None) => Say(new HandoverFrame
    {
        Type = HandoverFrameType.ListenerUp,
        Flags = flags,
        Tenant = Tenant.Default.Key,
        Destination = Addresses.Of(address).Network,
        DestinationPort = (ushort)port,
    });

    /// <summary>Announces a connection of a container of this router's.</summary>
    internal void Announce(int hostPort, string source, int sourcePort, string destination, int port, Tenant? tenant = null) => Say(new HandoverFrame
    {
        Type = HandoverFrameType.Announce,
        HostPort = (ushort)hostPort,
        Tenant = (tenant ?? Tenant.Default).Key,
        Source = Addresses.Of(source).Network,
        SourcePort = (ushort)sourcePort,
        Destination = Addresses.Of(destination).Network,
        DestinationPort = (ushort)port,
    });

    internal void Say(in HandoverFrame frame) => Say(MemoryMarshal.AsBytes(new ReadOnlySpan<HandoverFrame>(in frame)));

    /// <summary>Waits for a frame of a type among those that are said to it.</summary>
    internal HandoverFrame Await(HandoverFrameType type)
    {
        var heard = GC.AllocateArray<byte>(HandoverFrame.Size, pinned: true);
        var have = 0;
        HandoverFrame frame = default;
        WaitFor.That($"a frame of type {type}", () =>
        {
            while (StreamSocket.ReceiveVector(_link.Socket, [IoVector.Of(heard.AsSpan(have))]) is > 0 and var got)
            {
                have += got;
                if (have < HandoverFrame.Size)
                    continue;
                (frame, have) = (MemoryMarshal.Read<HandoverFrame>(heard), 0);
                if (frame.Type == type)
                    return true;
            }

            return false;
        });
        return frame;
    }

    public void Say(ReadOnlySpan<byte> bytes)
    {
        var copy = GC.AllocateArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(copy);
        var sent = StreamSocket.SendVector(_link.Socket, [IoVector.Of(copy)]);
        if (sent != bytes.Length)
            throw new IOException($"{sent} of {bytes.Length} bytes sent");
    }

    /// <summary>A connection from its address to the endpoint, and the port that it comes from.</summary>
    public (HandedSocket Socket, int Port) Connect(int hostPort = 0) => ConnectFrom(Address, _to, hostPort);

    public static (HandedSocket Socket, int Port) ConnectFrom(Ipv4 address, HandoverSite to, int hostPort = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address.ToIPAddress(), hostPort));
        socket.Connect(new IPEndPoint(to.Address.ToIPAddress(), HandoverSite.Port));
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return (new HandedSocket(StreamSocket.Take(socket)), port);
    }

    public void Dispose() => _link.Dispose();
}
