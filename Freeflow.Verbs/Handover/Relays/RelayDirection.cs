using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover.Relays;

/// <summary>What goes one way between the two sockets of a relay. Between two turns it holds what was received and not yet taken.</summary>
internal sealed class RelayDirection(int from, int to)
{
    private byte[] _kept = [];
    private int _first;
    private int _count;
    private bool _isAtEnd;

    /// <summary>Everything has come, and been passed on with its end.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Carries what is there and is taken, up to some bytes; false when one of the sockets has failed.</summary>
    /// <param name="scratch">For what is under way.</param>
    /// <param name="most">Bytes for this turn.</param>
    /// <param name="hasMore">Whether it stopped for that bound.</param>
    public bool TryCarry(Span<byte> scratch, int most, out bool hasMore)
    {
        hasMore = false;
        while (!IsOver)
        {
            if (_count > 0)
            {
                var sent = HostSocket.SendSome(to, _kept.AsSpan(_first, _count));
                if (sent == -Errno.EAGAIN)
                    return true;
                if (sent < 0)
                    return false;
                (_first, _count) = (_first + sent, _count - sent);
                continue;
            }

            _kept = [];
            if (_isAtEnd)
            {
                IsOver = HostSocket.EndSending(to) >= 0;
                return IsOver;
            }

            if (most <= 0)
            {
                hasMore = true;
                return true;
            }

            var got = HostSocket.Receive(from, scratch);
            if (got == -Errno.EAGAIN)
                return true;
            if (got < 0)
                return false;
            most -= got;
            _isAtEnd = got == 0;
            if (!TrySend(scratch[..got]))
                return false;
        }

        return true;
    }

    private bool TrySend(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var sent = HostSocket.SendSome(to, bytes);
            if (sent == -Errno.EAGAIN)
            {
                (_kept, _first, _count) = (bytes.ToArray(), 0, bytes.Length);
                return true;
            }

            if (sent < 0)
                return false;
            bytes = bytes[sent..];
        }

        return true;
    }
}
