using Akka.Actor;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

// Multicast groups. A RoCE group is an IP group: there is nobody to ask, and joining always succeeds.
public sealed partial class CommunicationIdActor
{
    private const uint MulticastQpn = 0xffffff;
    private const ushort FullMember = 0;
    private const ushort SendOnlyFullMember = 1;

    /// <summary>What a command asks to join; the manager keeps the number that it gets.</summary>
    internal static bool TryReadJoin(RdmaCmCall call, out ulong uid, out uint id, out RdmaAddress address)
    {
        (uid, id, address) = (0, 0, default);
        if (call.Command == RdmaCmCommand.JoinIpMcast)
        {
            if (!call.TryRead<JoinIpMcastCommand>(out var old))
                return false;
            (uid, id) = (old.Uid, old.Id);
            return RdmaAddress.TryRead(SocketAddressIn6.Bytes(ref old.Addr), out address);
        }

        if (!call.TryRead<JoinMcastCommand>(out var command) || command.JoinFlags is not (FullMember or SendOnlyFullMember))
            return false;
        (uid, id) = (command.Uid, command.Id);
        return TryReadExactly(ref command.Addr, command.AddrSize, out address);
    }

    private void ReceiveJoins() => Receive<ConnectionManagerProtocol.Join>(join =>
    {
        if (!IsDatagram || !_isOnDevice || join.Address.IsAny || join.Address.Family == RdmaAddressFamily.Ib
            || _state is not (CommunicationIdState.AddressBound or CommunicationIdState.AddressResolved))
        {
            Context.Parent.Tell(new ConnectionManagerProtocol.Joined(join, Errno.EINVAL));
            return;
        }

        Context.Parent.Tell(new ConnectionManagerProtocol.Joined(join, 0));
        var parameters = new DatagramParameters { QpNum = MulticastQpn, Qkey = DatagramQkey, AhAttr = AddressVector(join.Address.Gid) };
        Context.Parent.Tell(new ConnectionManagerProtocol.Raise(
            new RdmaCmEventResponse
            {
                Uid = join.Uid,
                Id = join.Group,
                Event = RdmaCmEventType.MulticastJoin,
                Param = RdmaCmEventParameters.Of(parameters),
            },
            join.Group));
    });
}
