using System.Diagnostics;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;

namespace Freeflow.Verbs.Links;

/// <summary>
/// The engine's end of an authenticated connection to a peer router. It carries the frames of all QPs between the two;
/// a QP that finds no room waits here and goes on when the socket takes more.
/// </summary>
internal sealed partial class DataLink : IDisposable
{
    private const int MaximumPings = 1024;

    private static readonly long s_stallsAfter = Stopwatch.Frequency;

    private readonly EngineCore _core;
    private readonly AuthenticatedLink _link;
    private readonly TransmitBuffer _transmit;
    private readonly LinkReceiver _receiver;
    private readonly Queue<EngineQueuePair> _parked = new(64);
    private readonly Queue<(long At, Action<long>? Answered)> _pings = new();

    public DataLink(EngineCore core, int peer, AuthenticatedLink link, ulong key, PeerTally tally)
    {
        _core = core;
        _link = link;
        Peer = peer;
        Key = key;
        Tally = tally;
        LastHeard = core.Now;
        _transmit = new TransmitBuffer(link, core, tally);
        _receiver = new LinkReceiver(core, this, link.Cipher, TakeWhole);
    }

    public int Peer { get; }

    /// <summary>The engine's key for the socket.</summary>
    public ulong Key { get; }

    /// <summary>What has gone over all links to the peer.</summary>
    public PeerTally Tally { get; }

    public SafeHandle Socket => _link.Socket;

    /// <summary>When the peer was last heard, in Stopwatch ticks.</summary>
    public long LastHeard { get; set; }

    /// <summary>Why the link can't be used any more; null while it can.</summary>
    public string? Broken { get; private set; }

    /// <summary>Whether the engine waits for the socket to take more.</summary>
    public bool AwaitsRoom { get; set; }

    /// <summary>Whether the peer has to be told anew which multicast groups this router has members of.</summary>
    public bool OwesGroups { get; set; } = true;

    public bool IsBlocked => _transmit.IsBlocked;

    /// <summary>When a link that has taken nothing since counts as cut for messages that may be lost.</summary>
    public long StallsAt => _transmit.BlockedSince + s_stallsAfter;

    public bool IsStalled => IsBlocked && _core.Now >= StallsAt;

    public void Dispose() => _link.Dispose();

    public void Break(string reason) => Broken ??= reason;

    /// <summary>Reads and acts on what has come, up to a bound.</summary>
    public void Receive() => _receiver.Receive();

    /// <summary>Writes what waits; lets the parked QPs go on when there is room again.</summary>
    public void Flush()
    {
        if (!_transmit.TryFlush())
        {
            Break("the connection was closed while sending");
            return;
        }

        if (!_transmit.HasRoom)
            return;
        while (_parked.TryDequeue(out var queuePair))
        {
            queuePair.Parked = false;
            _core.Enqueue(queuePair);
        }
    }

    /// <summary>Asks the peer for a sign; <paramref name="answered"/> gets how long it took, in Stopwatch ticks. False when it can't be asked now.</summary>
    public bool Ping(Action<long>? answered = null)
    {
        if (_pings.Count == MaximumPings || !Send(new FrameHeader { Type = FrameType.Ping }))
            return false;
        _pings.Enqueue((Stopwatch.GetTimestamp(), answered));
        return true;
    }

    /// <summary>The peer's sign has come. They come in the order of the questions.</summary>
    public void Ponged()
    {
        if (_pings.TryDequeue(out var ping))
            ping.Answered?.Invoke(Stopwatch.GetTimestamp() - ping.At);
    }

    /// <summary>Sends a frame without payload; drops it when there is no room, since whoever needs it asks again.</summary>
    public bool Send(in FrameHeader header)
    {
        if (Broken is not null || !MakeRoom())
            return false;
        if (!_transmit.Add(header, []))
            Break("the connection was closed while sending");
        return true;
    }

    /// <summary>
    /// Sends the next part of an operation. False when the QP has to wait for room. Afterwards the operation is still
    /// loaded (more parts to send), sent, or done with an error.
    /// </summary>
    public bool TryEmit(EngineQueuePair qp, ref SendOperation operation, ref WorkBudget budget)
    {
        if (!TryMakeRoomFor(qp))
            return false;

        var header = HeaderFrom(qp);
        header.Type = operation.IsRead ? FrameType.ReadRequest : operation.IsAtomic ? FrameType.AtomicRequest
            : qp.IsReliable ? FrameType.Data : FrameType.UnreliableData;
        header.Opcode = (byte)operation.Opcode;
        header.Solicited = (operation.Flags & SendFlags.Solicited) != 0 ? (byte)1 : (byte)0;
        header.Sequence = operation.Sequence;
        header.Immediate = operation.Immediate;
        header.RemoteAddress = operation.RemoteAddress;
        header.RemoteKey = operation.RemoteKey;
        header.TotalLength = operation.Length;
        header.Offset = operation.AwaitsData ? 0 : operation.Progress;
        header.CompareAdd = operation.CompareAdd;
        header.Swap = operation.Swap;
        if (!operation.AwaitsData)
            header.PayloadLength = Math.Min(operation.Length - operation.Progress, FrameHeader.MaximumPayload);

        var readable = true;
        var alive = operation.AwaitsData ? _transmit.Add(header, [])
            : operation.IsInline ? _transmit.Add(header, qp.InlineOf(qp.Next))
            : _transmit.Add(header, ref operation.Cursor, out readable);
        if (!alive)
        {
            Break("the connection was closed while sending");
            return false;
        }

        budget.Spend((int)header.PayloadLength);
        if (!readable)
        {
            SendQueue.Stop(qp, ref operation, WorkCompletionStatus.LocalProtectionError);
            return true;
        }

        operation.Progress += header.PayloadLength;
        if (operation.AwaitsData || operation.Progress == operation.Length)
        {
            operation.State = OperationState.Sent;
            operation.Progress = operation.AwaitsData ? 0 : operation.Length;
        }

        return true;
    }

    /// <summary>Sends what a QP's responder owes. False when it has to wait for room or for its next turn.</summary>
    public bool TryAnswer(EngineQueuePair qp, ref WorkBudget budget)
    {
        while (qp.Responses.Count > 0)
        {
            if (budget.IsSpent)
            {
                _core.Enqueue(qp);
                return false;
            }

            if (!TryMakeRoomFor(qp))
                return false;
            Answer(qp, ref qp.Responses.First, ref budget);
            if (Broken is not null)
                return false;
        }

        if (!qp.OwesAcknowledgement)
            return true;
        return TryMakeRoomFor(qp) && Acknowledge(qp);
    }

    /// <summary>Says up to where the QP's messages have come, and for how many more there are receives.</summary>
    public bool Acknowledge(EngineQueuePair qp)
    {
        qp.OwesAcknowledgement = false;
        var header = HeaderFrom(qp);
        header.Type = FrameType.Acknowledge;
        header.Sequence = qp.Expected - 1;
        header.Immediate = qp.ReceivesTaken + Responder.PostedReceives(qp);
        return Send(header);
    }

    public static FrameHeader HeaderFrom(EngineQueuePair qp) => new()
    {
        DestinationQp = qp.RemoteQpn,
        SourceQp = qp.Number,
        SourceGid = qp.LocalGid,
        DestinationGid = qp.RemoteGid,
    };

    private void Answer(EngineQueuePair qp, ref OwedResponse owed, ref WorkBudget budget)
    {
        var header = HeaderFrom(qp);
        header.Sequence = owed.Sequence;
        if (owed.Kind == ResponseKind.Atomic)
        {
            header.Type = FrameType.AtomicResponse;
            header.CompareAdd = owed.Original;
        }
        else if (owed.Kind == ResponseKind.Nak)
        {
            header.Type = FrameType.Refuse;
            header.Reason = (byte)owed.Nak;
            header.RnrTimer = qp.MinRnrTimer;
        }
        else
        {
            AnswerRead(qp, ref owed, header, ref budget);
            return;
        }

        qp.Responses.RemoveFirst();
        budget.Spend(0);
        Send(header);
    }

    private void AnswerRead(EngineQueuePair qp, ref OwedResponse owed, FrameHeader header, ref WorkBudget budget)
    {
        header.Type = FrameType.ReadResponse;
        header.TotalLength = owed.Length;
        header.Offset = owed.Progress;
        header.PayloadLength = Math.Min(owed.Length - owed.Progress, FrameHeader.MaximumPayload);
        var cursor = Responder.ReadCursor(qp, owed.Address, owed.RemoteKey, owed.Length);
        cursor.Skip(owed.Progress);
        if (!_transmit.Add(header, ref cursor, out var readable))
        {
            Break("the connection was closed while sending");
            return;
        }

        budget.Spend((int)header.PayloadLength);
        if (!readable)
        {
            // Deregistered or unmapped meanwhile: the rest of the answer is a refusal.
            owed.Kind = ResponseKind.Nak;
            owed.Nak = Verdict.RemoteAccessError;
            _core.Fail(qp, QueuePairFault.AccessViolation);
            return;
        }

        owed.Progress += header.PayloadLength;
        if (owed.Progress == owed.Length)
            qp.Responses.RemoveFirst();
    }

    /// <summary>Whether a frame of the largest size may be added.</summary>
    public bool MakeRoom()
    {
        if (!_transmit.HasRoom && !_transmit.IsBlocked && !_transmit.TryFlush())
            Break("the connection was closed while sending");
        return Broken is null && _transmit.HasRoom;
    }

    /// <summary>Whether a frame of the largest size may be added; if not, the QP runs again when it may.</summary>
    public bool TryMakeRoomFor(EngineQueuePair qp)
    {
        if (MakeRoom())
            return true;
        if (!qp.Parked && Broken is null)
        {
            qp.Parked = true;
            _parked.Enqueue(qp);
        }

        return false;
    }
}
