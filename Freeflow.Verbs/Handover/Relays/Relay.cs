using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover.Relays;

/// <summary>
/// Two connections that are one to the applications at their far ends: the bytes, the end of each way, and a reset. What TCP does
/// beside that (urgent data, the peer's options) ends here.
/// </summary>
internal sealed class Relay
{
    private const int BytesPerTurn = 1 << 20;
    private const int NoDelayOption = 1;

    private readonly RelayDirection _there;
    private readonly RelayDirection _back;

    /// <summary>Takes over two connected sockets.</summary>
    public Relay(int one, int other, RelayOwner owner)
    {
        (One, Other, Owner) = (one, other, owner);
        foreach (var socket in (ReadOnlySpan<int>)[one, other])
        {
            HostSocket.StopWaiting(socket);
            HostSocket.ResetOnClose(socket, resets: false);
            _ = HostSocket.SetTcpOption(socket, NoDelayOption, [1, 0, 0, 0]);
        }

        (_there, _back) = (new RelayDirection(one, other), new RelayDirection(other, one));
    }

    public int One { get; }

    public int Other { get; }

    public RelayOwner Owner { get; }

    /// <summary>Carries on; false when it is over, and its sockets are closed.</summary>
    /// <param name="scratch">For what is under way.</param>
    /// <param name="hasMore">Whether it must be called again without waiting for an event.</param>
    public bool TryCarry(Span<byte> scratch, out bool hasMore)
    {
        var more = false;
        hasMore = false;
        if (!_there.TryCarry(scratch, BytesPerTurn, out hasMore) || !_back.TryCarry(scratch, BytesPerTurn, out more))
        {
            Abort();
            return false;
        }

        hasMore |= more;
        if (!_there.IsOver || !_back.IsOver)
            return true;
        HostSocket.Close(One);
        HostSocket.Close(Other);
        return false;
    }

    /// <summary>Resets both.</summary>
    public void Abort()
    {
        HostSocket.Reset(One);
        HostSocket.Reset(Other);
    }
}
