using System.Net.Sockets;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Fuzz.Channel;

/// <summary>One connection to the router's socket, as the shim makes it, but with nothing that holds one back.</summary>
internal sealed class RouterChannel : IDisposable
{
    // The longest that a command takes by its nature is two seconds; this machine may be busy.
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(120);

    private static readonly string s_path =
        Path.Combine(Environment.GetEnvironmentVariable("FREEFLOW_DIR") is { Length: > 0 } given ? given : "/freeflow", "run/default.sock");

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
    private readonly byte[] _incoming = GC.AllocateArray<byte>(ShimProtocol.MaximumMessage + 1, pinned: true);
    private readonly List<SafeFileHandle> _descriptors = [];

    public RouterChannel()
    {
        try
        {
            _socket.Connect(new UnixDomainSocketEndPoint(s_path));
        }
        catch (SocketException error)
        {
            throw new FindingException($"the router can't be reached: {error.Message}");
        }

        _socket.Blocking = false;
    }

    public uint Sequence { get; private set; }

    /// <summary>Sends a request; false when the router has closed the connection.</summary>
    public bool Send(ShimMessageType type, ReadOnlySpan<byte> payload, params IReadOnlyList<SafeFileHandle> descriptors)
    {
        var message = new byte[Marshal.SizeOf<ShimHeader>() + payload.Length];
        MemoryMarshal.Write(message, new ShimHeader
        {
            Magic = ShimProtocol.Magic,
            Type = type,
            Sequence = ++Sequence,
            Length = (uint)payload.Length,
            DescriptorPatch = ShimProtocol.NoDescriptor,
        });
        payload.CopyTo(message.AsSpan(Marshal.SizeOf<ShimHeader>()));
        return SendRaw(message, descriptors);
    }

    /// <summary>Sends bytes as they are.</summary>
    public bool SendRaw(ReadOnlySpan<byte> message, params IReadOnlyList<SafeFileHandle> descriptors)
    {
        var deadline = DateTime.UtcNow + s_bound;
        while (true)
        {
            var sent = UnixSocket.Send(_socket.SafeHandle, message, descriptors);
            if (sent != -Errno.EAGAIN)
                return sent >= 0;
            if (DateTime.UtcNow > deadline)
                throw new FindingException("the router takes no message");
            _socket.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectWrite);
        }
    }

    /// <summary>The next answer; null when the router has closed the connection. Throws when there is none at all.</summary>
    public Answer? Receive()
    {
        var deadline = DateTime.UtcNow + s_bound;
        while (true)
        {
            var got = UnixSocket.Receive(_socket.SafeHandle, _incoming, _descriptors, out var isWithout);
            if (isWithout)
                throw new FindingException("this process has no room for an answer's descriptors");
            if (got is 0 or -Errno.ECONNRESET)
                return null;
            if (got > 0)
                return Take(got);
            if (got != -Errno.EAGAIN)
                throw new FindingException($"receiving an answer: errno {-got}");
            if (DateTime.UtcNow > deadline)
                throw new FindingException($"no answer within {s_bound.TotalSeconds} s");
            _socket.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectRead);
        }
    }

    public void Dispose() => _socket.Dispose();

    private Answer Take(int bytes)
    {
        var head = Marshal.SizeOf<ShimHeader>();
        var descriptors = _descriptors.ToArray();
        _descriptors.Clear();
        if (bytes < head)
            throw new FindingException($"an answer of {bytes} bytes");
        var header = MemoryMarshal.Read<ShimHeader>(_incoming);
        var isSound = header.Magic == ShimProtocol.Magic && header.Length == bytes - head && header.Error is >= 0 and < 200;
        return isSound
            ? new Answer(header, _incoming.AsSpan(head, bytes - head).ToArray(), descriptors)
            : throw new FindingException($"a malformed answer: {Convert.ToHexString(_incoming.AsSpan(0, bytes))}");
    }
}
