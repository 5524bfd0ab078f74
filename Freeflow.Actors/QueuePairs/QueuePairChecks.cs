using System.Numerics;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.QueuePairs;

/// <summary>The checks of CREATE_QP and of a change's values that look at nothing but the command (rxe_qp_chk_init, rxe_qp_chk_attr).</summary>
public static class QueuePairChecks
{
    private const byte Port = 1;
    private const byte LargestTimeout = 31;
    private const byte LargestMtu = 5;

    // Values of enum ib_qp_type that rxe does not make.
    private const byte RawPacket = 8;
    private const byte XrcInitiator = 9;
    private const byte XrcTarget = 10;
    private const byte OfDriver = 0xff;

    /// <summary>Reads either form of CREATE_QP; false with the errno to give.</summary>
    public static bool TryRead(UverbsCall call, out ExCreateQpCommand command, out int errno)
    {
        errno = Errno.EINVAL;
        command = default;
        if (call.IsExtended)
        {
            const int withoutFlags = 56;
            if (!call.TryReadExtended(withoutFlags, out command) || command.CompMask != 0)
                return false;
        }
        else
        {
            if (!call.TryRead<CreateQpCommand>(out var core))
                return false;
            command = new ExCreateQpCommand
            {
                UserHandle = core.UserHandle,
                PdHandle = core.PdHandle,
                SendCqHandle = core.SendCqHandle,
                RecvCqHandle = core.RecvCqHandle,
                SrqHandle = core.SrqHandle,
                MaxSendWr = core.MaxSendWr,
                MaxRecvWr = core.MaxRecvWr,
                MaxSendSge = core.MaxSendSge,
                MaxRecvSge = core.MaxRecvSge,
                MaxInlineData = core.MaxInlineData,
                SqSigAll = core.SqSigAll,
                QpType = core.QpType,
                IsSrq = core.IsSrq,
            };
        }

        if (!Enum.IsDefined((QueuePairType)command.QpType) || command.CreateFlags != 0)
        {
            // As the kernel: what is no type at all is EINVAL, what other drivers have is not supported.
            var isKnown = command.QpType is RawPacket or XrcInitiator or XrcTarget or OfDriver || Enum.IsDefined((QueuePairType)command.QpType);
            errno = isKnown ? Errno.EOPNOTSUPP : Errno.EINVAL;
            return false;
        }

        // With an SRQ it has no receives of its own to bound.
        return command.MaxSendWr <= QueuePairLimits.MaximumWorkRequests && command.MaxSendSge <= QueuePairLimits.MaximumSges
            && (command.IsSrq != 0
                || (command.MaxRecvWr <= QueuePairLimits.MaximumWorkRequests && command.MaxRecvSge <= QueuePairLimits.MaximumSges))
            && command.MaxInlineData <= QueuePairLimits.MaximumInline;
    }

    /// <summary>
    /// Whether the values that the mask names are in range. Not looked at, as in the kernel: P_Key index, RNR timer, retry counts, responder
    /// resources.
    /// </summary>
    public static bool AreInRange(in ModifyQpCommand command)
    {
        var mask = (QueuePairAttributes)command.AttrMask;
        bool Has(QueuePairAttributes attribute) => (mask & attribute) != 0;
        return HasRightPorts(command, Port)
            && (!Has(QueuePairAttributes.PathMtu) || command.PathMtu <= LargestMtu)
            && (!Has(QueuePairAttributes.Timeout) || command.Timeout <= LargestTimeout)
            && (!Has(QueuePairAttributes.MaxQpRdAtomic) || command.MaxRdAtomic <= QueuePairLimits.MaximumReadAtomic)
            && !Has(QueuePairAttributes.AlternatePath) && !Has(QueuePairAttributes.Capabilities);
    }

    /// <summary>
    /// Whether states and ports are ones that there are, and a path's on the way to RTR the QP's own: what uverbs looks at before it
    /// looks up the path's source GID. The driver sees the rest thereafter.
    /// </summary>
    public static bool HasRightPorts(in ModifyQpCommand command, byte port)
    {
        var mask = (QueuePairAttributes)command.AttrMask;
        bool Has(QueuePairAttributes attribute) => (mask & attribute) != 0;
        return (!Has(QueuePairAttributes.State) || command.QpState <= (byte)QueuePairState.Error)
            && (!Has(QueuePairAttributes.CurrentState) || command.CurQpState <= (byte)QueuePairState.Error)
            && (!Has(QueuePairAttributes.Port) || command.PortNum == Port)
            && (!Has(QueuePairAttributes.AddressVector) || (command.Dest.PortNum == Port && (!IsToReceive(command) || port == Port)));
    }

    /// <summary>
    /// As uverbs, takes the port of a path for the QP's own, but on the way to RTR. In SQD a UC QP may name no port, and so take no
    /// other path.
    /// </summary>
    public static ModifyQpCommand WithPortOfPath(ModifyQpCommand command)
    {
        var mask = (QueuePairAttributes)command.AttrMask;
        bool Has(QueuePairAttributes attribute) => (mask & attribute) != 0;
        if (!Has(QueuePairAttributes.AddressVector) || Has(QueuePairAttributes.Port) || IsToReceive(command))
            return command;
        command.AttrMask |= (uint)QueuePairAttributes.Port;
        command.PortNum = command.Dest.PortNum;
        return command;
    }

    /// <summary>Reads and atomics under way are counted in powers of two, which are kept in a byte: 256 of them, the driver's too, are none.</summary>
    public static ModifyQpCommand RoundUp(ModifyQpCommand command)
    {
        command.MaxRdAtomic = (byte)BitOperations.RoundUpToPowerOf2(command.MaxRdAtomic);
        command.MaxDestRdAtomic = (byte)BitOperations.RoundUpToPowerOf2(command.MaxDestRdAtomic);
        return command;
    }

    private static bool IsToReceive(in ModifyQpCommand command) =>
        ((QueuePairAttributes)command.AttrMask & QueuePairAttributes.State) != 0 && command.QpState == (byte)QueuePairState.ReadyToReceive;
}
