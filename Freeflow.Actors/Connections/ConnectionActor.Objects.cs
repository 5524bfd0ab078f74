using System.Runtime.InteropServices;
using Akka.Actor;
using Freeflow.Actors.CompletionQueues;
using Freeflow.Actors.MemoryRegions;
using Freeflow.Actors.QueuePairs;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Freeflow.Verbs.Rings;

namespace Freeflow.Actors.Connections;

// The connection's objects: which there are, what holds what, and how calls reach them.
public sealed partial class ConnectionActor
{
    private const int FewChannels = 64;

    private readonly HandleTable<Domain> _domains;
    private readonly HandleTable<Queue> _completionQueues;
    private readonly HandleTable<Pair> _queuePairs;
    private readonly HandleTable<Region> _regions;
    private readonly Dictionary<IActorRef, uint> _handles = [];
    private readonly List<EventStream> _channels = [];
    private readonly Dictionary<ulong, SharedMemory> _mappings = [];
    private int _pruneChannelsAt = FewChannels;
    private ulong _nextOffset;
    private long _registeredBytes;

    private void Serve(UverbsCall call)
    {
        if (_asyncEvents is null && call.Command != UverbsCommand.GetContext)
        {
            Fail(Errno.EINVAL);
            return;
        }

        Action<UverbsCall> serve = (call.Command, call.IsExtended) switch
        {
            (UverbsCommand.GetContext, false) => GetContext,
            (UverbsCommand.QueryDevice, _) => QueryDevice,
            (UverbsCommand.QueryPort, false) => QueryPort,
            (UverbsCommand.AllocPd, false) => AllocPd,
            (UverbsCommand.DeallocPd, false) => DeallocPd,
            (UverbsCommand.CreateAh, false) => CreateAh,
            (UverbsCommand.DestroyAh, false) => DestroyAh,
            (UverbsCommand.AttachMcast, false) => AttachMulticast,
            (UverbsCommand.DetachMcast, false) => DetachMulticast,
            (UverbsCommand.RegMr, false) => RegMr,
            (UverbsCommand.DeregMr, false) => DeregMr,
            (UverbsCommand.ReregMr, false) => ReregMr,
            (UverbsCommand.AllocMw, false) => AllocMw,
            (UverbsCommand.DeallocMw, false) => DeallocMw,
            (UverbsCommand.CreateCompChannel, false) => CreateCompChannel,
            (UverbsCommand.CreateCq, _) => CreateCq,
            (UverbsCommand.ResizeCq, false) => ResizeCq,
            (UverbsCommand.DestroyCq, false) => DestroyCq,
            (UverbsCommand.CreateSrq or UverbsCommand.CreateXsrq, false) => CreateSrq,
            (UverbsCommand.ModifySrq, false) => ModifySrq,
            (UverbsCommand.QuerySrq, false) => QuerySrq,
            (UverbsCommand.DestroySrq, false) => DestroySrq,
            (UverbsCommand.CreateQp, _) => CreateQp,
            (UverbsCommand.QueryQp, false) => QueryQp,
            (UverbsCommand.ModifyQp, _) => ModifyQp,
            (UverbsCommand.DestroyQp, false) => DestroyQp,
            (UverbsCommand.PostSend or UverbsCommand.ReqNotifyCq, false) => _ => Done(),
            _ => _ => Fail(Errno.EOPNOTSUPP),
        };
        serve(call);
    }

    private void AllocPd(UverbsCall call)
    {
        if (!_domains.HasRoom)
            Fail(Errno.ENOMEM);
        else
            Respond(call.Respond(new AllocPdResponse { PdHandle = _domains.Add(new Domain(_plane.Numbers.TakeDomain())) }));
    }

    private void DeallocPd(UverbsCall call)
    {
        if (!call.TryRead<DeallocPdCommand>(out var command) || !_domains.TryGet(command.PdHandle, out var domain))
        {
            Fail(Errno.ENOENT);
        }
        else if (domain.Users > 0)
        {
            Fail(Errno.EBUSY);
        }
        else
        {
            _domains.Remove(command.PdHandle);
            Done();
        }
    }

    private void RegMr(UverbsCall call)
    {
        if (!call.TryRead<RegMrCommand>(out var command))
        {
            Fail(Errno.EINVAL);
            return;
        }

        if (MemoryRegionChecks.Refuse(command) is var errno and not 0)
        {
            Fail(errno);
            return;
        }

        if (!_domains.TryGet(command.PdHandle, out var domain))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (!_regions.HasRoom || command.Length > (ulong)(_plane.Limits.RegisteredBytes - _registeredBytes)
            || !_quota.TryRegister((long)command.Length))
        {
            Fail(Errno.ENOMEM);
            return;
        }

        var key = _plane.Numbers.TakeKey();
        var handle = _regions.NextHandle;
        var actor = Context.ActorOf(
            MemoryRegionActor.Props(_plane.Engine, _engineConnection!, _memory!, command, domain.Number, key, handle, call), $"mr-{handle}-{key:x}");
        _handles.Add(actor, _regions.Add(new Region(actor, domain, key, (long)command.Length)));
        domain.Users++;
        _registeredBytes += (long)command.Length;
        Await();
    }

    private void DeregMr(UverbsCall call)
    {
        if (!call.TryRead<DeregMrCommand>(out var command) || !_regions.TryGet(command.MrHandle, out var region))
        {
            Fail(Errno.ENOENT);
            return;
        }

        region.Actor.Tell(MemoryRegionProtocol.Deregister.Instance);
        Await();
    }

    private void CreateCompChannel(UverbsCall call)
    {
        if (_channels.Count >= _pruneChannelsAt)
        {
            var abandoned = _channels.FindAll(candidate => candidate.IsAbandoned);
            _quota.CompletionChannels.End(abandoned);
            _channels.RemoveAll(abandoned.Contains);
            _pruneChannelsAt = Math.Min(Math.Max(FewChannels, 2 * _channels.Count), _plane.Limits.CompletionChannels);
        }

        if (_channels.Count >= _plane.Limits.CompletionChannels)
        {
            Fail(Errno.EMFILE);
            return;
        }

        if (_quota.CompletionChannels.TryMake(Marshal.SizeOf<CompletionEventDescriptor>()) is not { } channel)
        {
            Fail(Errno.ENOMEM);
            return;
        }

        _channels.Add(channel);
        Answer(new ConnectionProtocol.Answer(0, call.Respond(new CreateCompChannelResponse()))
        {
            Descriptors = [channel.ApplicationEnd],
            DescriptorPatch = 0,
        });
        channel.Forget();
    }

    private void CreateCq(UverbsCall call)
    {
        var command = default(ExCreateCqCommand);
        if (call.IsExtended)
        {
            const int withoutFlags = 24;
            if (!call.TryReadExtended(withoutFlags, out command) || command.CompMask != 0)
            {
                Fail(Errno.EINVAL);
                return;
            }

            if (command.Flags != 0)
            {
                Fail(Errno.EOPNOTSUPP);
                return;
            }
        }
        else if (call.TryRead<CreateCqCommand>(out var core))
        {
            command = new ExCreateCqCommand { UserHandle = core.UserHandle, Entries = core.Entries, CompVector = core.CompVector, CompChannel = core.CompChannel };
        }

        if (call.Room < Marshal.SizeOf<CreateCqResponse>() + Marshal.SizeOf<MmapInfo>() || command.Entries is 0 or > QueuePairLimits.MaximumCompletions || command.CompVector != 0)
        {
            Fail(Errno.EINVAL);
            return;
        }

        EventStream? channel = null;
        if (command.CompChannel >= 0 && !TryFindChannel(out channel))
        {
            Fail(Errno.EBADF);
            return;
        }

        if (!_completionQueues.HasRoom)
        {
            Fail(Errno.ENOMEM);
            return;
        }

        var handle = _completionQueues.NextHandle;
        var spec = new CompletionQueueSpec(_plane.Engine, _plane.News, _engineConnection!, handle, (int)command.Entries, channel, command.UserHandle);
        channel?.Use(_current!.Descriptors[0]);
        var actor = Context.ActorOf(CompletionQueueActor.Props(spec, call), $"cq-{handle}-{_nextName++}");
        _handles.Add(actor, _completionQueues.Add(new Queue(actor, channel, command.UserHandle)));
        Await();
    }

    private void DestroyCq(UverbsCall call)
    {
        if (!call.TryRead<DestroyCqCommand>(out var command) || !_completionQueues.TryGet(command.CqHandle, out var queue))
        {
            Fail(Errno.ENOENT);
        }
        else if (queue.Users > 0)
        {
            Fail(Errno.EBUSY);
        }
        else
        {
            queue.Actor.Tell(CompletionQueueProtocol.Destroy.Instance);
            _destroying = call;
            Await();
        }
    }

    private void CreateQp(UverbsCall call)
    {
        if (!QueuePairChecks.TryRead(call, out var command, out var errno))
        {
            Fail(errno);
            return;
        }

        if (!_domains.TryGet(command.PdHandle, out var domain)
            || !_completionQueues.TryGet(command.SendCqHandle, out var send)
            || !_completionQueues.TryGet(command.RecvCqHandle, out var receive))
        {
            Fail(Errno.ENOENT);
            return;
        }

        SharedQueue? shared = null;
        if (command.IsSrq != 0 && !_sharedQueues.TryGet(command.SrqHandle, out shared))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (!_queuePairs.HasRoom)
        {
            Fail(Errno.ENOMEM);
            return;
        }

        var handle = _queuePairs.NextHandle;
        var number = _plane.Numbers.TakeQpn();
        var spec = new QueuePairSpec(_plane, _engineConnection!, handle, number, domain.Number, send.Engine!, receive.Engine!, command, _device)
        {
            Shared = shared?.Engine,
        };
        var actor = Context.ActorOf(QueuePairActor.Props(spec, call), $"qp-{number:x6}");
        _handles.Add(actor, _queuePairs.Add(new Pair(actor, domain, send, receive, shared, number, command)));
        Await();
    }

    private void QueryQp(UverbsCall call)
    {
        if (!call.TryRead<QueryQpCommand>(out var command) || !_queuePairs.TryGet(command.QpHandle, out var pair))
        {
            Fail(Errno.ENOENT);
            return;
        }

        pair.Actor.Tell(new QueuePairProtocol.Query(call));
        Await();
    }

    private void ModifyQp(UverbsCall call)
    {
        ModifyQpCommand command;
        if (call.IsExtended)
        {
            if (!call.TryReadExtended<ExModifyQpCommand>(Marshal.SizeOf<ModifyQpCommand>(), out var extended))
            {
                Fail(Errno.EINVAL);
                return;
            }

            command = extended.Base;
        }
        else if (!call.TryRead(out command))
        {
            Fail(Errno.EINVAL);
            return;
        }

        if (!_queuePairs.TryGet(command.QpHandle, out var pair))
        {
            Fail(Errno.ENOENT);
            return;
        }

        pair.Actor.Tell(new QueuePairProtocol.Modify(command, _device, call));
        Await();
    }

    private void DestroyQp(UverbsCall call)
    {
        if (!call.TryRead<DestroyQpCommand>(out var command) || !_queuePairs.TryGet(command.QpHandle, out var pair))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (pair.Groups.Count > 0)
        {
            Fail(Errno.EBUSY);
            return;
        }

        pair.Actor.Tell(QueuePairProtocol.Destroy.Instance);
        _destroying = call;
        Await();
    }

    private bool TryFindChannel(out EventStream? channel)
    {
        // A number comes back with another file: an abandoned channel's may be this one's.
        channel = _current!.Descriptors.Count == 1
            ? _channels.Find(candidate => candidate.IsSame(_current.Descriptors[0]) && !candidate.IsAbandoned)
            : null;
        return channel is not null;
    }
}
