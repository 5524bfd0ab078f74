using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// Host ports for outgoing connections, taken in turn so that each rests as long as possible before it is used again. The
/// kernel knows which are free: those of live connections and of TIME_WAIT can't be bound. Those come in long rows, as they
/// were given; a row is left by a jump to somewhere else.
/// </summary>
internal sealed class PortRange
{
    private const int Attempts = 64;
    private const int AttemptsInARow = 4;

    private readonly int _first;
    private readonly int _count;
    private int _next;

    /// <param name="first">The lowest port.</param>
    /// <param name="last">The highest.</param>
    /// <param name="start">Where to begin, from 0: elsewhere after every start, so that a late packet of before meets nobody.</param>
    public PortRange(int first, int last, int start)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, last);
        _first = first;
        _count = last - first + 1;
        _next = start % _count;
    }

    /// <summary>Binds a socket to the next port that is free; 0 when none was found.</summary>
    public int Bind(int socket, bool ipv6, Ipv4 address)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var port = _first + _next;
            _next = (_next + 1) % _count;
            if (HostSocket.Bind(socket, ipv6, address, port) == 0)
                return port;
            if (attempt % AttemptsInARow == AttemptsInARow - 1)
                _next = Random.Shared.Next(_count);
        }

        return 0;
    }
}
