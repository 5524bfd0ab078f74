using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>A router that starts anew where its containers' connections, or another program, have its ports.</summary>
public sealed class EndpointPortsAreTaken : PairTest
{
    private const int Port = 80;

    private readonly List<Socket> _holders = [];

    protected override HandoverOptions AdjustServer(HandoverOptions options)
    {
        Hold(new IPEndPoint(options.HostAddress!.Value.ToIPAddress(), options.Port));
        return options;
    }

    [Fact]
    public void ByAConnectionThatOutlivedTheRouter()
    {
        var (wanted, port) = Assert.Single(Pair.ServerSite.Loop.OtherPorts);
        Assert.Equal(HandoverSite.Port, wanted);
        Assert.NotEqual(wanted, port);
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var accepted = server.Accept();
        client.Send("question");
        Assert.Equal("question", accepted.Socket.Receive());
        _holders.ForEach(holder => holder.Dispose());
    }

    [Fact]
    public void ByAnotherProgramThatListens()
    {
        var refused = Assert.Throws<Win32Exception>(() => new HandoverSite(options => options with { HostAddress = Pair.ClientSite.Address }));
        Assert.Equal(Errno.EADDRINUSE, refused.NativeErrorCode);
        Assert.Contains($"{Pair.ClientSite.Address}:{HandoverSite.Port}", refused.Message);
    }

    /// <summary>As a container's socket does that was accepted there, and whose program has set SO_REUSEADDR to 0.</summary>
    private void Hold(IPEndPoint at)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(at);
        listener.Listen();
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        client.Connect(at);
        var accepted = listener.Accept();
        accepted.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, false);
        _holders.AddRange([client, accepted]);
    }
}
