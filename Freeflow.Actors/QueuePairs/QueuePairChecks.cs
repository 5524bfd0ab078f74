using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.QueuePairs;

/// <summary>The checks of CREATE_QP and of a change's values that look at nothing but the command (rxe_qp_chk_init, rxe_qp_chk_attr).</summary>
public static class QueuePairChecks
{
    private const byte Port = 1;
    private const byte LargestTimer = 31;
    private const byte LargestMtu = 5;
    private const byte LargestRetry = 7;

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

    /// <summary>Whether the values that the mask names are in range.</summary>
    public static bool AreInRange(in ModifyQpCommand command)
    {
        var mask = (QueuePairAttributes)command.AttrMask;
        bool Has(QueuePairAttributes attribute) => (mask & attribute) != 0;
        return (!Has(QueuePairAttributes.State) || command.QpState <= (byte)QueuePairState.Error)
            && (!Has(QueuePairAttributes.CurrentState) || command.CurQpState <= (byte)QueuePairState.Error)
            && (!Has(QueuePairAttributes.Port) || command.PortNum == Port)
            && (!Has(QueuePairAttributes.PkeyIndex) || command.PkeyIndex == 0)
            && (!Has(QueuePairAttributes.AddressVector) || command.Dest.PortNum == Port)
            && (!Has(QueuePairAttributes.PathMtu) || command.PathMtu is > 0 and <= LargestMtu)
            && (!Has(QueuePairAttributes.Timeout) || command.Timeout <= LargestTimer)
            && (!Has(QueuePairAttributes.MinRnrTimer) || command.MinRnrTimer <= LargestTimer)
            && (!Has(QueuePairAttributes.RetryCount) || command.RetryCnt <= LargestRetry)
            && (!Has(QueuePairAttributes.RnrRetry) || command.RnrRetry <= LargestRetry)
            && (!Has(QueuePairAttributes.MaxQpRdAtomic) || command.MaxRdAtomic <= QueuePairLimits.MaximumReadAtomic)
            && (!Has(QueuePairAttributes.MaxDestRdAtomic) || command.MaxDestRdAtomic <= QueuePairLimits.MaximumReadAtomic)
            && !Has(QueuePairAttributes.AlternatePath) && !Has(QueuePairAttributes.Capabilities);
    }
}
