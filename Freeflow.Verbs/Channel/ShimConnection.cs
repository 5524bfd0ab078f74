using System.Runtime.InteropServices;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Channel;

/// <summary>One shim's socket. Who is at its other end is what the kernel says of the socket's network namespace.</summary>
public sealed class ShimConnection
{
    private readonly ShimListener _listener;
    private readonly byte[] _outgoing = new byte[ShimProtocol.MaximumMessage];
    private readonly Lock _gate = new();

    internal ShimConnection(ShimListener listener, long id, SafeFileHandle socket, NetworkNamespace @namespace, int peerPid, long since)
    {
        _listener = listener;
        Id = id;
        Socket = socket;
        Namespace = @namespace;
        PeerPid = peerPid;
        Since = since;
    }

    public long Id { get; }

    /// <summary>The container. The handle in it lives as long as the connection.</summary>
    public NetworkNamespace Namespace { get; }

    /// <summary>The peer's pid as the router sees it; 0 when it can't.</summary>
    public int PeerPid { get; }

    internal SafeFileHandle Socket { get; }

    /// <summary>Something has been said; silence is bounded until then.</summary>
    internal bool HasSpoken { get; set; }

    /// <summary>When it was accepted, in the listener's milliseconds.</summary>
    internal long Since { get; }

    internal string? CloseReason { get; private set; }

    /// <summary>Answers a request. Any thread; never waits: a peer that does not read its answers is closed.</summary>
    public void Reply(ShimReply reply)
    {
        int sent;
        int size;
        lock (_gate)
        {
            size = Marshal.SizeOf<ShimHeader>() + reply.Payload.Length;
            if (size > _outgoing.Length)
                throw new ArgumentException($"a reply of {size} bytes", nameof(reply));
            MemoryMarshal.Write(_outgoing, new ShimHeader
            {
                Magic = ShimProtocol.Magic,
                Type = reply.Type,
                Sequence = reply.Sequence,
                Length = (uint)reply.Payload.Length,
                Error = reply.Errno,
                DescriptorPatch = reply.DescriptorPatch,
            });
            reply.Payload.Span.CopyTo(_outgoing.AsSpan(Marshal.SizeOf<ShimHeader>()));
            if (CloseReason is not null || Socket.IsClosed)
                return;
            sent = UnixSocket.Send(Socket, _outgoing.AsSpan(0, size), reply.Descriptors);
        }

        if (sent != size)
            Close(sent == -Errno.EAGAIN ? "it does not read its replies" : $"sending failed (errno {-sent})");
    }

    /// <summary>Closes the socket, but not under an answer that another thread is sending.</summary>
    internal void CloseSocket()
    {
        lock (_gate)
            Socket.Dispose();
    }

    /// <summary>Ends the connection; <see cref="IShimListenerEvents.Closed"/> follows.</summary>
    public void Close(string reason)
    {
        CloseReason ??= reason;
        _listener.CloseSoon(this);
    }
}
