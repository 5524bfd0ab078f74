using System.ComponentModel;
using System.Runtime.InteropServices;
using Akka.Actor;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Rings;

namespace Freeflow.Actors.SharedReceiveQueues;

/// <summary>One SRQ. The connection above knows which QPs use it and frees its ring.</summary>
public sealed class SharedReceiveQueueActor : ListedActor
{
    // As the rxe driver numbers them.
    private const uint FirstNumber = 0x00020001;

    private readonly SharedReceiveQueueSpec _spec;
    private readonly UverbsCall _call;
    private EngineReceiveQueue? _queue;

    public SharedReceiveQueueActor(SharedReceiveQueueSpec spec, UverbsCall call)
    {
        _spec = spec;
        _call = call;
        Receive<SharedReceiveQueueProtocol.Query>(query => Context.Parent.Tell(new ConnectionProtocol.Answer(0, query.Call.Respond(Attributes()))));
        Receive<SharedReceiveQueueProtocol.Modify>(Modify);
        Receive<SharedReceiveQueueProtocol.Destroy>(_ =>
        {
            var (self, parent) = (Self, Context.Parent);
            _spec.Engine.Remove(_queue!, () => parent.Tell(new ConnectionProtocol.Removed(self, 0)));
        });
        Receive<SharedReceiveQueueEvents.LimitReached>(_ =>
            Context.Parent.Tell(new ConnectionProtocol.AsyncEvent(AsyncEventType.SrqLimitReached, _spec.Command.UserHandle)));
    }

    public static Props Props(SharedReceiveQueueSpec spec, UverbsCall call) =>
        Akka.Actor.Props.Create(() => new SharedReceiveQueueActor(spec, call));

    protected override void PreStart()
    {
        var command = _spec.Command;
        try
        {
            _queue = EngineReceiveQueue.CreateShared(
                _spec.Connection, _spec.Handle, (int)command.MaxWr, (int)Math.Max(1, command.MaxSge), command.SrqLimit);
        }
        catch (Win32Exception)
        {
            Context.Parent.Tell(new ConnectionProtocol.NotCreated(Self, Errno.ENOMEM));
            return;
        }

        _spec.News.Watch(_queue, Self);
        Context.Parent.Tell(new ConnectionProtocol.Created(Self, _queue, [_queue.Ring], Respond));
    }

    protected override void PostStop()
    {
        if (_queue is not null)
            _spec.News.Forget(_queue);
    }

    private byte[] Respond(MmapInfo[] rings)
    {
        var core = new CreateSrqResponse
        {
            SrqHandle = _spec.Handle,
            MaxWr = _spec.Command.MaxWr,
            MaxSge = (uint)_queue!.MaximumSges,
        };
        return _call.Respond(core, new CreateSrqDriverResponse { Ring = rings[0], SrqNumber = FirstNumber + _spec.Handle });
    }

    private QuerySrqResponse Attributes() => new()
    {
        MaxWr = (uint)_queue!.Ring.Capacity,
        MaxSge = (uint)_queue.MaximumSges,
        SrqLimit = _queue.Limit,
    };

    private void Modify(SharedReceiveQueueProtocol.Modify modify)
    {
        var (command, queue) = (modify.Command, _queue!);
        if (SharedReceiveQueueChecks.Refuse(command, queue) is var errno and not 0)
        {
            Context.Parent.Tell(ConnectionProtocol.Answer.Error(errno));
            return;
        }

        var old = queue.Ring;
        SharedRing? ring = null;
        if ((command.AttrMask & SharedReceiveQueueAttributes.MaxWr) != 0)
        {
            try
            {
                ring = EngineReceiveQueue.NewSharedRing(_spec.Connection, _spec.Handle, (int)command.MaxWr, queue.MaximumSges);
            }
            catch (Win32Exception)
            {
                Context.Parent.Tell(ConnectionProtocol.Answer.Error(Errno.ENOMEM));
                return;
            }
        }

        uint? limit = (command.AttrMask & SharedReceiveQueueAttributes.Limit) != 0 ? command.SrqLimit : null;
        var (parent, memory, address) = (Context.Parent, _spec.Memory, modify.MmapInfoAddress);
        _spec.Engine.Modify(queue, ring, limit, moved =>
        {
            if (ring is null)
            {
                parent.Tell(ConnectionProtocol.Answer.Done);
                return;
            }

            // Freed here, since the connection may have ended meanwhile.
            var unused = moved ? old : ring;
            Task.Run(unused.Dispose);
            parent.Tell(new ConnectionProtocol.Moved(unused, moved ? ring : null, Place));
        });

        // The driver writes the new ring's place where the library says, not into the response.
        ConnectionProtocol.Answer Place(MmapInfo place) =>
            new(memory.Write(address, MemoryMarshal.AsBytes(new ReadOnlySpan<MmapInfo>(in place))), []);
    }
}
