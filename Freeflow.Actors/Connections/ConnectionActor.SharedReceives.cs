using System.Runtime.InteropServices;
using Akka.Actor;
using Freeflow.Actors.SharedReceiveQueues;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

// SRQs.
public sealed partial class ConnectionActor
{
    private readonly HandleTable<SharedQueue> _sharedQueues;

    private sealed class SharedQueue(IActorRef actor, Domain domain, ulong userHandle)
    {
        public IActorRef Actor { get; } = actor;

        public ulong UserHandle { get; } = userHandle;

        /// <summary>QPs that take their receives from it.</summary>
        public int Users { get; set; }

        public EngineReceiveQueue? Engine { get; set; }

        public void Release() => domain.Users--;
    }

    private void CreateSrq(UverbsCall call)
    {
        if (call.Command == UverbsCommand.CreateXsrq)
        {
            if (call.TryRead<CreateXsrqCommand>(out var command))
                CreateSrq(call, command);
            else
                Fail(Errno.ENOSPC);
        }
        else if (call.TryRead<CreateSrqCommand>(out var basic))
        {
            CreateSrq(call, new CreateXsrqCommand
            {
                UserHandle = basic.UserHandle,
                PdHandle = basic.PdHandle,
                MaxWr = basic.MaxWr,
                MaxSge = basic.MaxSge,
                SrqLimit = basic.SrqLimit,
            });
        }
        else
        {
            Fail(Errno.ENOSPC);
        }
    }

    private void CreateSrq(UverbsCall call, CreateXsrqCommand command)
    {
        // Types other than the basic one fail for want of what they need beside, before anybody looks at the rest.
        if (command.SrqType != SharedReceiveQueueType.Basic)
        {
            var errno = command.SrqType switch
            {
                SharedReceiveQueueType.Xrc => Errno.EINVAL,
                SharedReceiveQueueType.TagMatching when !_completionQueues.TryGet(command.CqHandle, out _) => Errno.ENOENT,
                _ => Errno.EOPNOTSUPP,
            };
            Fail(errno);
            return;
        }

        if (!_domains.TryGet(command.PdHandle, out var domain))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (call.Room < Marshal.SizeOf<CreateSrqResponse>() + Marshal.SizeOf<CreateSrqDriverResponse>()
            || !SharedReceiveQueueChecks.IsInRange(command))
        {
            Fail(Errno.EINVAL);
            return;
        }

        if (!_sharedQueues.HasRoom)
        {
            Fail(Errno.ENOMEM);
            return;
        }

        var handle = _sharedQueues.NextHandle;
        var spec = new SharedReceiveQueueSpec(_plane.Engine, _plane.News, _engineConnection!, _memory!, handle, command);
        var actor = Context.ActorOf(SharedReceiveQueueActor.Props(spec, call), $"srq-{handle}-{_nextName++}");
        _handles.Add(actor, _sharedQueues.Add(new SharedQueue(actor, domain, command.UserHandle)));
        domain.Users++;
        Await();
    }

    private void ModifySrq(UverbsCall call)
    {
        if (!call.TryRead<ModifySrqCommand>(out var command) || !_sharedQueues.TryGet(command.SrqHandle, out var queue))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (!MemoryMarshal.TryRead<ModifySrqDriverCommand>(call.Body.Span[Marshal.SizeOf<ModifySrqCommand>()..], out var driver))
        {
            Fail(Errno.EINVAL);
            return;
        }

        queue.Actor.Tell(new SharedReceiveQueueProtocol.Modify(command, driver.MmapInfoAddress));
        Await();
    }

    private void QuerySrq(UverbsCall call)
    {
        if (!call.TryRead<QuerySrqCommand>(out var command) || !_sharedQueues.TryGet(command.SrqHandle, out var queue))
        {
            Fail(Errno.ENOENT);
            return;
        }

        queue.Actor.Tell(new SharedReceiveQueueProtocol.Query(call));
        Await();
    }

    private void DestroySrq(UverbsCall call)
    {
        if (!call.TryRead<DestroySrqCommand>(out var command) || !_sharedQueues.TryGet(command.SrqHandle, out var queue))
        {
            Fail(Errno.ENOENT);
        }
        else if (queue.Users > 0)
        {
            Fail(Errno.EBUSY);
        }
        else
        {
            queue.Actor.Tell(SharedReceiveQueueProtocol.Destroy.Instance);
            _destroying = call;
            Await();
        }
    }

    private uint? RemoveSharedQueue(IActorRef actor)
    {
        if (!_handles.TryGetValue(actor, out var handle) || !_sharedQueues.TryGet(handle, out var queue) || !queue.Actor.Equals(actor))
            return null;
        _handles.Remove(actor);
        _sharedQueues.Remove(handle);
        queue.Release();
        if (queue.Engine is { } engine)
        {
            Unmap([engine.Ring]);
            engine.Dispose();
        }

        return TakeAsyncEvents(queue.UserHandle);
    }
}
