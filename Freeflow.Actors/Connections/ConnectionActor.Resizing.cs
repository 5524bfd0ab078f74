using System.Runtime.InteropServices;
using Akka.Actor;
using Freeflow.Actors.CompletionQueues;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

// Queues that move to another ring.
public sealed partial class ConnectionActor
{
    private void ResizeCq(UverbsCall call)
    {
        if (!call.TryRead<ResizeCqCommand>(out var command) || !_completionQueues.TryGet(command.CqHandle, out var queue))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (call.Room < Marshal.SizeOf<ResizeCqResponse>() + Marshal.SizeOf<MmapInfo>()
            || command.Entries is 0 or > QueuePairLimits.MaximumCompletions)
        {
            Fail(Errno.EINVAL);
            return;
        }

        queue.Actor.Tell(new CompletionQueueProtocol.Resize((int)command.Entries, call));
        Await();
    }

    /// <summary>Offers the ring that an object has moved to, and the one that it has left no more.</summary>
    private void Adopt(ConnectionProtocol.Moved moved)
    {
        if (moved.Ring is null)
        {
            Fail(Errno.EINVAL);
            return;
        }

        Unmap([moved.Unused]);
        Answer(moved.Answer(Offer(moved.Ring)));
    }
}
