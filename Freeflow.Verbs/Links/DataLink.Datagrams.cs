using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;

namespace Freeflow.Verbs.Links;

// Datagrams have no QP at the other end that they belong to: the frame says all that a receiver asks for.
internal sealed partial class DataLink
{
    /// <summary>Sends a datagram; there has to be room. False when the sender's memory can't be read.</summary>
    public bool SendDatagram(in Datagram datagram, in DatagramPayload payload)
    {
        var header = HeaderOf(datagram, payload.Length);
        var readable = true;
        bool alive;
        if (payload.IsRegistered)
        {
            var from = payload.Cursor;
            alive = _transmit.Add(header, ref from, out readable);
        }
        else
        {
            alive = _transmit.Add(header, payload.Bytes);
        }

        if (!alive)
            Break("the connection was closed while sending");
        return readable;
    }

    /// <summary>How the datagrams of a QP to that target are addressed.</summary>
    public static FrameHeader HeaderOf(EngineQueuePair qp, in DatagramTarget target) => new()
    {
        DestinationQp = target.Qpn,
        SourceQp = qp.Number,
        Tenant = qp.Connection.Port.Tenant,
        SourceGid = target.Route.Local,
        DestinationGid = target.Route.Remote,
    };

    private static FrameHeader HeaderOf(in Datagram datagram, int length) => new()
    {
        Type = FrameType.Datagram,
        PayloadLength = (uint)length,
        TotalLength = (uint)length,
        Opcode = (byte)datagram.Opcode,
        Solicited = datagram.Solicited ? (byte)1 : (byte)0,
        DestinationQp = datagram.DestinationQp,
        SourceQp = datagram.SourceQp,
        Sequence = datagram.Sequence,
        Immediate = datagram.Immediate,
        RemoteKey = datagram.Qkey,
        Tenant = datagram.Tenant,
        FlowLabel = datagram.Route.FlowLabel,
        HopLimit = datagram.Route.HopLimit,
        TrafficClass = datagram.Route.TrafficClass,
        SourceGid = datagram.Route.Local,
        DestinationGid = datagram.Route.Remote,
    };

    /// <summary>Answers how many receives a QP has.</summary>
    public void TellReceives(in FrameHeader question)
    {
        var qp = _core.QueuePairs.GetValueOrDefault(question.DestinationQp);
        if (qp?.Type != QueuePairType.UnreliableConnection || !qp.IsConnectedTo(Peer, question.SourceQp, question.SourceGid, question.DestinationGid))
            qp = _core.Responder.FindReceiver(question.Tenant, question.DestinationGid, question.DestinationQp);
        Send(new FrameHeader
        {
            Type = FrameType.TellReceives,
            DestinationQp = question.SourceQp,
            SourceQp = question.DestinationQp,
            Sequence = question.Sequence,
            Immediate = ReceiveGate.Count(qp),
        });
    }

    /// <summary>The answer has come.</summary>
    public void ReceivesTold(in FrameHeader answer)
    {
        if (!_core.QueuePairs.TryGetValue(answer.DestinationQp, out var qp) || qp.IsReliable)
            return;
        qp.Window.Answered(answer.SourceQp, answer.Sequence, answer.Immediate);
        _core.Enqueue(qp);
    }

    /// <summary>Tells the peer of multicast groups; there has to be room.</summary>
    public void TellGroups(GroupNews news, ReadOnlySpan<byte> names)
    {
        if (!_transmit.Add(new FrameHeader { Type = FrameType.Groups, Reason = (byte)news, PayloadLength = (uint)names.Length }, names))
            Break("the connection was closed while sending");
    }

    private void TakeWhole(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Type == FrameType.Datagram)
            Take(header, payload);
        else if (!_core.Groups.Hear(Peer, (GroupNews)header.Reason, payload))
            Break($"malformed list of groups ({header.Reason}, {payload.Length} bytes)");
    }

    /// <summary>Takes a datagram from the peer, which may only speak for addresses that no other router has.</summary>
    private void Take(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if ((WorkRequestOpcode)header.Opcode is not (WorkRequestOpcode.Send or WorkRequestOpcode.SendWithImmediate))
        {
            Break($"malformed datagram (opcode {header.Opcode})");
            return;
        }

        var owner = _core.Addresses.PeerOf(header.Tenant, header.SourceGid);
        if (owner != Peer && owner != EngineQueuePair.NoPeer)
        {
            _core.Statistics.MessagesDropped++;
            return;
        }

        _core.Responder.Deliver(
            new Datagram
            {
                Tenant = header.Tenant,
                Route = new DatagramRoute(header.SourceGid, header.DestinationGid, header.FlowLabel, header.HopLimit, header.TrafficClass),
                SourceQp = header.SourceQp,
                DestinationQp = header.DestinationQp,
                Qkey = header.RemoteKey,
                Sequence = header.Sequence,
                Opcode = (WorkRequestOpcode)header.Opcode,
                Immediate = header.Immediate,
                Solicited = header.Solicited != 0,
            },
            new DatagramPayload(payload));
    }
}
