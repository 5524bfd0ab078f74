using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Links;

/// <summary>
/// What waits to be written to a link's socket. Small frames gather here and leave in one call; the payload of a large
/// one is written straight from registered memory, and only what the socket does not take at once is copied here, so that
/// nothing refers to an application's memory after a call returns. What is encrypted is copied, all of it.
/// </summary>
internal sealed class TransmitBuffer(AuthenticatedLink link, EngineCore core, PeerTally tally)
{
    private const int Capacity = 1 << 20;
    private const int EagerFlush = 64 * 1024;
    private const int MaximumCopied = 8 * 1024;

    private readonly SafeHandle _socket = link.Socket;
    private readonly LinkCipher? _cipher = link.Cipher;
    private readonly byte[] _bytes = GC.AllocateArray<byte>(Capacity, pinned: true);
    private readonly IoVector[] _vectors = new IoVector[34];
    private int _head;
    private int _tail;

    /// <summary>The socket took less than it was given: nothing may be added until it is writable again.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Since when a blocked socket has taken nothing, in Stopwatch ticks.</summary>
    public long BlockedSince { get; private set; }

    /// <summary>Whether a frame of the largest size may be added.</summary>
    public bool HasRoom => !IsBlocked && Capacity - _tail >= FrameHeader.Size + FrameHeader.MaximumPayload;

    /// <summary>Adds a frame whose payload is in <paramref name="payload"/>. False: the link is broken.</summary>
    public bool Add(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        AddHeader(header);
        payload.CopyTo(_bytes.AsSpan(_tail));
        _tail += payload.Length;
        return _tail - _head < EagerFlush || TryFlush();
    }

    /// <summary>Adds a frame whose payload lies in registered memory. Nothing is added when that can't be read.</summary>
    public bool Add(in FrameHeader header, ref MemoryCursor payload, out bool readable)
    {
        var length = (int)header.PayloadLength;
        if (length > MaximumCopied && _cipher is null)
        {
            var described = core.Memory.Describe(payload, length, _vectors.AsSpan(1), out var count);
            if (described == length)
            {
                readable = true;
                return SendDirect(header, ref payload, length, count);
            }
        }

        var start = _tail;
        AddHeader(header);
        readable = core.Memory.Gather(ref payload, _bytes.AsSpan(_tail, length));
        if (!readable)
        {
            _tail = start;
            return true;
        }

        _tail += length;
        return _tail - _head < EagerFlush || TryFlush();
    }

    /// <summary>Writes what waits. False: the link is broken.</summary>
    public bool TryFlush()
    {
        var before = _head;
        while (_head != _tail)
        {
            var sent = SendBuffered();
            if (sent == -Errno.EAGAIN)
            {
                Block(_head != before);
                return true;
            }

            if (sent < 0)
                return false;
            _head += sent;
            CountSent(sent);
        }

        var progressed = _head != before;
        _head = _tail = 0;
        if (_cipher is { HasPending: true } && _cipher.Flush(_socket) is var flushed and not 0)
        {
            Block(progressed);
            return flushed == -Errno.EAGAIN;
        }

        IsBlocked = false;
        return true;
    }

    private void CountSent(int bytes)
    {
        core.Statistics.LinkBytesSent += bytes;
        tally.BytesSent += bytes;
    }

    private int SendBuffered()
    {
        var waiting = _bytes.AsSpan(_head, _tail - _head);
        if (_cipher is not null)
            return _cipher.Send(_socket, waiting);
        _vectors[0] = IoVector.Of(waiting);
        return StreamSocket.SendVector(_socket, _vectors.AsSpan(0, 1));
    }

    private void Block(bool progressed)
    {
        if (!IsBlocked || progressed)
            BlockedSince = core.Now;
        IsBlocked = true;
    }

    private void AddHeader(in FrameHeader header)
    {
        MemoryMarshal.Write(_bytes.AsSpan(_tail), header);
        _tail += FrameHeader.Size;
    }

    private bool SendDirect(in FrameHeader header, ref MemoryCursor payload, int length, int count)
    {
        AddHeader(header);
        var buffered = _tail - _head;
        _vectors[0] = IoVector.Of(_bytes.AsSpan(_head, buffered));
        var sent = StreamSocket.SendVector(_socket, _vectors.AsSpan(0, count + 1));
        if (sent < 0 && sent != -Errno.EAGAIN)
            return false;
        sent = Math.Max(sent, 0);
        CountSent(sent);
        if (sent < buffered)
        {
            _head += sent;
            sent = 0;
        }
        else
        {
            _head = _tail = 0;
            sent -= buffered;
        }

        payload.Skip((uint)sent);
        if (sent == length)
            return true;

        // The whole range was described a moment ago on this very thread, so it can still be read.
        Block(progressed: true);
        var rest = length - sent;
        if (!core.Memory.Gather(ref payload, _bytes.AsSpan(_tail, rest)))
            return false;
        _tail += rest;
        return true;
    }
}
