using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;

namespace Freeflow.Verbs.Links;

// Datagrams have no QP at the other end that they belong to: the frame says all that a receiver asks for.
internal sealed partial class DataLink
{
    /// <summary>Sends a datagram; there has to be room. False when the sender's memory can't be read.</summary>
    public bool SendDatagram(in Datagram datagram, in DatagramPayload payload)
    {
        var header = new FrameHeader
        {
            Type = FrameType.Datagram,
            PayloadLength = (uint)payload.Length,
            TotalLength = (uint)payload.Length,
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

    /// <summary>Takes a datagram from the peer, which may only speak for addresses that no other router has.</summary>
    private void Take(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
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
