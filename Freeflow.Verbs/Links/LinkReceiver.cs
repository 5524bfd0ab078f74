using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Links;

/// <summary>
/// Takes frames off a link's socket. Headers and small payloads pass through a buffer; the bulk of a large payload is
/// read by the kernel straight into registered memory. What is encrypted passes through the buffer, all of it.
/// </summary>
internal sealed class LinkReceiver(EngineCore core, DataLink link, LinkCipher? cipher, LinkReceiver.TakeWhole takeWhole)
{
    /// <summary>Acts on a frame that is taken with its whole payload at once.</summary>
    public delegate void TakeWhole(in FrameHeader header, ReadOnlySpan<byte> payload);

    private const int BufferBytes = 64 * 1024;
    private const int ReadAhead = 4 * 1024;
    private const int BytesPerTurn = 2 * 1024 * 1024;

    private enum Sink : byte
    {
        Discard,
        Message,
        ReadData,
    }

    private readonly byte[] _buffer = GC.AllocateArray<byte>(BufferBytes, pinned: true);
    private readonly IoVector[] _vectors = new IoVector[34];
    private int _first;
    private int _end;

    // The frame whose payload is being taken.
    private FrameHeader _header;
    private int _remaining;
    private Sink _sink;
    private EngineQueuePair? _queuePair;
    private uint _slot;

    public void Receive()
    {
        if (cipher is not null)
        {
            ReceiveRecords(cipher);
            return;
        }

        for (var taken = 0; taken < BytesPerTurn && link.Broken is null;)
        {
            var wanted = Prepare(out var direct, out var count);
            var got = StreamSocket.ReceiveVector(link.Socket, _vectors.AsSpan(0, count));
            if (got == -Errno.EAGAIN)
                return;
            if (got <= 0)
            {
                link.Break(got == 0 ? "the peer closed the connection" : $"receiving failed (errno {-got})");
                return;
            }

            taken += got;
            link.LastHeard = core.Now;
            core.Statistics.LinkBytesReceived += got;
            link.Tally.BytesReceived += got;
            var placed = Math.Min(got, direct);
            if (placed > 0)
                Placed(placed, alreadyInMemory: true);
            _end += got - placed;
            Consume();
            if (got < wanted)
                return;
        }
    }

    /// <summary>The same of an encrypted link. A record that has come whole is never left: the socket would not tell of it again.</summary>
    private void ReceiveRecords(LinkCipher records)
    {
        for (var taken = 0; (taken < BytesPerTurn || records.HasRecord) && link.Broken is null;)
        {
            MakeRoom(LinkCipher.MaximumRecord);
            var got = records.Receive(link.Socket, _buffer.AsSpan(_end));
            if (got == -Errno.EAGAIN)
                return;
            if (got <= 0)
            {
                link.Break(got == 0 ? "the peer closed the connection"
                    : got == -Errno.EBADMSG ? "it was tampered with: a record does not open" : $"receiving failed (errno {-got})");
                return;
            }

            taken += got;
            link.LastHeard = core.Now;
            core.Statistics.LinkBytesReceived += got;
            _end += got;
            Consume();
        }
    }

    /// <summary>What is left of a frame is short, since nothing waits but a header or a datagram.</summary>
    private void MakeRoom(int bytes)
    {
        if (_first == _end)
            _first = _end = 0;
        else if (BufferBytes - _end < bytes)
        {
            _buffer.AsSpan(_first, _end - _first).CopyTo(_buffer);
            (_first, _end) = (0, _end - _first);
        }
    }

    /// <summary>Describes where the next bytes shall go; returns how many there may be, and how many of them are payload put in place.</summary>
    private int Prepare(out int direct, out int count)
    {
        direct = 0;
        count = 0;
        var ahead = BufferBytes;
        if (_remaining > 0 && _first == _end)
        {
            if (IsSinkAlive())
                direct = core.Memory.Describe(SinkCursor(), _remaining, _vectors.AsSpan(0, _vectors.Length - 1), out count);
            if (direct == _remaining)
                ahead = ReadAhead;
            else if (direct > 0)
                ahead = 0;
        }

        MakeRoom(FrameHeader.Size + FrameHeader.MaximumDatagram);
        ahead = Math.Min(ahead, BufferBytes - _end);
        if (ahead > 0)
            _vectors[count++] = IoVector.Of(_buffer.AsSpan(_end, ahead));
        return direct + ahead;
    }

    private void Consume()
    {
        while (link.Broken is null)
        {
            if (_remaining > 0)
            {
                var bytes = Math.Min(_remaining, _end - _first);
                if (bytes == 0)
                    return;
                Placed(bytes, alreadyInMemory: false);
                continue;
            }

            if (_end - _first < FrameHeader.Size)
                return;
            _header = MemoryMarshal.Read<FrameHeader>(_buffer.AsSpan(_first));
            var isWhole = _header.Type >= FrameType.Datagram;
            if (_header.Type is < FrameType.Data or > FrameType.Groups
                || _header.PayloadLength > (isWhole ? FrameHeader.MaximumDatagram : FrameHeader.MaximumPayload))
            {
                link.Break($"malformed frame (type {(byte)_header.Type}, {_header.PayloadLength} bytes)");
                return;
            }

            if (isWhole)
            {
                if (_end - _first < FrameHeader.Size + (int)_header.PayloadLength)
                    return;
                takeWhole(_header, _buffer.AsSpan(_first + FrameHeader.Size, (int)_header.PayloadLength));
                _first += FrameHeader.Size + (int)_header.PayloadLength;
                continue;
            }

            _first += FrameHeader.Size;
            _remaining = (int)_header.PayloadLength;
            _sink = Sink.Discard;
            _queuePair = null;
            Begin();
            if (_remaining == 0)
                Finish();
        }
    }

    /// <summary>A header has come: decides where its payload goes.</summary>
    private void Begin()
    {
        if (_header.Type == FrameType.Ping)
        {
            link.Send(new FrameHeader { Type = FrameType.Pong });
            return;
        }

        switch (_header.Type)
        {
            case FrameType.Pong:
                link.Ponged();
                return;
            case FrameType.AskReceives:
                link.TellReceives(_header);
                return;
            case FrameType.TellReceives:
                link.ReceivesTold(_header);
                return;
        }

        if (!core.QueuePairs.TryGetValue(_header.DestinationQp, out var qp)
            || !qp.IsConnectedTo(link.Peer, _header.SourceQp, _header.SourceGid, _header.DestinationGid)
            || qp.IsReliable == (_header.Type == FrameType.UnreliableData))
        {
            RefuseUnknown();
            return;
        }

        switch (_header.Type)
        {
            case FrameType.Data or FrameType.UnreliableData:
                BeginData(qp);
                break;
            case FrameType.ReadRequest:
                var read = core.Responder.BeginRead(qp, RequestOf());
                if (read == Verdict.Accept)
                    Owe(qp, new OwedResponse
                    {
                        Kind = ResponseKind.Read,
                        Sequence = _header.Sequence,
                        Address = _header.RemoteAddress,
                        RemoteKey = _header.RemoteKey,
                        Length = _header.TotalLength,
                    });
                else
                    Answer(qp, read);
                break;
            case FrameType.AtomicRequest:
                var atomic = core.Responder.Execute(qp, RequestOf(), out var original);
                if (atomic == Verdict.Accept)
                    Owe(qp, new OwedResponse { Kind = ResponseKind.Atomic, Sequence = _header.Sequence, Original = original });
                else
                    Answer(qp, atomic);
                break;
            case FrameType.Acknowledge:
                core.Requester.Acknowledge(qp, _header.Sequence, _header.Immediate);
                break;
            case FrameType.Refuse:
                core.Requester.Refused(qp, _header.Sequence, (Verdict)_header.Reason, (byte)_header.RnrTimer);
                break;
            case FrameType.ReadResponse:
                if (Requester.TryFindRead(qp, _header.Sequence, _header.Offset, _header.PayloadLength, out _slot))
                    (_sink, _queuePair) = (Sink.ReadData, qp);
                break;
            case FrameType.AtomicResponse:
                core.Requester.AtomicAnswered(qp, _header.Sequence, _header.CompareAdd);
                break;
        }
    }

    private void BeginData(EngineQueuePair qp)
    {
        if ((WorkRequestOpcode)_header.Opcode is > WorkRequestOpcode.SendWithImmediate and not WorkRequestOpcode.SendWithInvalidate
            || _header.Offset > _header.TotalLength || _header.PayloadLength > _header.TotalLength - _header.Offset)
        {
            link.Break($"malformed data frame (opcode {_header.Opcode}, {_header.Offset} + {_header.PayloadLength} of {_header.TotalLength} bytes)");
            return;
        }

        if (_header.Offset == 0)
        {
            var verdict = core.Responder.Begin(qp, RequestOf());
            if (verdict != Verdict.Accept)
            {
                Answer(qp, verdict);
                return;
            }
        }
        else if (!Responder.IsUnderWay(qp, _header.Sequence) || qp.Inbound.Progress != _header.Offset)
        {
            return;
        }

        (_sink, _queuePair) = (Sink.Message, qp);
    }

    /// <summary>Takes a part of the payload, which is in registered memory already or still in the buffer.</summary>
    private void Placed(int bytes, bool alreadyInMemory)
    {
        var data = alreadyInMemory ? default : _buffer.AsSpan(_first, bytes);
        if (!alreadyInMemory)
            _first += bytes;
        _remaining -= bytes;
        if (IsSinkAlive())
        {
            ref var cursor = ref SinkCursor();
            if (alreadyInMemory)
                cursor.Skip((uint)bytes);
            else if (!core.Memory.Scatter(ref cursor, data))
                SinkFailed();
            if (_sink == Sink.Message)
                _queuePair!.Inbound.Progress += (uint)bytes;
        }

        if (_remaining == 0)
            Finish();
    }

    /// <summary>All of a frame has come.</summary>
    private void Finish()
    {
        if (!IsSinkAlive())
            return;
        var qp = _queuePair!;
        if (_sink == Sink.ReadData)
            core.Requester.ReadPlaced(qp, _slot, _header.PayloadLength);
        else if (qp.Inbound.Progress == qp.Inbound.Request.Length)
        {
            core.Responder.Finish(qp);
            if (!qp.IsReliable)
                return;
            qp.OwesAcknowledgement = true;
            if (!core.Answers.TryHoldBack(qp))
                core.Enqueue(qp);
        }
    }

    /// <summary>The QP may have been destroyed, reset or failed since the frame began.</summary>
    private bool IsSinkAlive() => _queuePair is { Attached: true } qp && _sink switch
    {
        Sink.Message => Responder.IsUnderWay(qp, _header.Sequence),
        Sink.ReadData => Requester.IsReading(qp, _slot, _header.Sequence),
        _ => false,
    };

    private ref MemoryCursor SinkCursor() =>
        ref _sink == Sink.Message ? ref _queuePair!.Inbound.Cursor : ref _queuePair!.Operations[_slot].Cursor;

    private void SinkFailed()
    {
        var qp = _queuePair!;
        if (_sink == Sink.Message)
            Answer(qp, core.Responder.PlacementFailed(qp));
        else
            core.Requester.PlacementFailed(qp, _slot);
        _sink = Sink.Discard;
    }

    private void Answer(EngineQueuePair qp, Verdict verdict)
    {
        if (verdict == Verdict.Duplicate)
        {
            qp.OwesAcknowledgement = true;
            core.Enqueue(qp);
        }
        else if (verdict != Verdict.Drop)
        {
            Owe(qp, new OwedResponse { Kind = ResponseKind.Nak, Sequence = _header.Sequence, Nak = verdict });
        }
    }

    private void Owe(EngineQueuePair qp, in OwedResponse response)
    {
        // A peer that keeps to max_dest_rd_atomic never fills the queue.
        if (!qp.Responses.TryAdd(response))
            link.Break($"QP {qp.Number} was sent more READs and atomics than it has responder resources");
        core.Enqueue(qp);
    }

    /// <summary>On a wire, a request to a QP that does not exist just gets no answer; here the requester is told to count that.</summary>
    private void RefuseUnknown()
    {
        if (_header.Type is not (FrameType.Data or FrameType.ReadRequest or FrameType.AtomicRequest) || _header.Offset != 0)
            return;
        link.Send(new FrameHeader
        {
            Type = FrameType.Refuse,
            Reason = (byte)Verdict.NotReady,
            Sequence = _header.Sequence,
            DestinationQp = _header.SourceQp,
            SourceQp = _header.DestinationQp,
            SourceGid = _header.DestinationGid,
            DestinationGid = _header.SourceGid,
        });
    }

    private InboundRequest RequestOf() => new()
    {
        Opcode = (WorkRequestOpcode)_header.Opcode,
        Sequence = _header.Sequence,
        Length = _header.TotalLength,
        RemoteAddress = _header.RemoteAddress,
        RemoteKey = _header.RemoteKey,
        Immediate = _header.Immediate,
        Solicited = _header.Solicited != 0,
        CompareAdd = _header.CompareAdd,
        Swap = _header.Swap,
    };
}
