using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.SharedReceiveQueues;

/// <summary>The rxe driver's checks of an SRQ's sizes (rxe_srq_chk_init, rxe_srq_chk_attr).</summary>
public static class SharedReceiveQueueChecks
{
    public const uint MaximumWorkRequests = 1 << 16;
    public const uint MaximumSges = 27;

    /// <summary>Whether the sizes are the device's. Its driver does not look at the limit.</summary>
    public static bool IsInRange(in CreateXsrqCommand command) =>
        command.MaxWr is not (0 or > MaximumWorkRequests) && command.MaxSge <= MaximumSges;

    /// <summary>0, or the errno, for a change of what is there now.</summary>
    public static int Refuse(in ModifySrqCommand command, EngineReceiveQueue now)
    {
        var mask = command.AttrMask;
        if ((mask & SharedReceiveQueueAttributes.MaxWr) != 0
            && (command.MaxWr is 0 or > MaximumWorkRequests || (now.Limit != 0 && command.MaxWr < now.Limit)))
            return Errno.EINVAL;
        return (mask & SharedReceiveQueueAttributes.Limit) != 0
            && (command.SrqLimit > MaximumWorkRequests || command.SrqLimit > (uint)now.Ring.Capacity)
                ? Errno.EINVAL
                : 0;
    }
}
