using Akka.Actor;
using Freeflow.Actors.MemoryRegions;
using Freeflow.Actors.MemoryWindows;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

// Memory windows, and changes of memory regions.
public sealed partial class ConnectionActor
{
    private readonly HandleTable<Window> _windows;

    private sealed class Window(IActorRef actor, Domain domain, uint key)
    {
        public IActorRef Actor { get; } = actor;

        public uint Key { get; } = key;

        public void Release() => domain.Users--;
    }

    private void AllocMw(UverbsCall call)
    {
        if (!call.TryRead<AllocMwCommand>(out var command) || !_domains.TryGet(command.PdHandle, out var domain))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (command.MwType is not (MemoryWindowType.Type1 or MemoryWindowType.Type2))
        {
            Fail(Errno.EINVAL);
            return;
        }

        if (!_windows.HasRoom)
        {
            Fail(Errno.ENOMEM);
            return;
        }

        var key = _plane.Numbers.TakeKey();
        var handle = _windows.NextHandle;
        var actor = Context.ActorOf(
            MemoryWindowActor.Props(_plane.Engine, _engineConnection!, key, domain.Number, command.MwType, handle, call), $"mw-{handle}-{key:x}");
        _handles.Add(actor, _windows.Add(new Window(actor, domain, key)));
        domain.Users++;
        Await();
    }

    private void DeallocMw(UverbsCall call)
    {
        if (!call.TryRead<DeallocMwCommand>(out var command) || !_windows.TryGet(command.MwHandle, out var window))
        {
            Fail(Errno.ENOENT);
            return;
        }

        window.Actor.Tell(MemoryWindowProtocol.Deallocate.Instance);
        Await();
    }

    private bool RemoveWindow(IActorRef actor)
    {
        if (!_handles.TryGetValue(actor, out var handle) || !_windows.TryGet(handle, out var window) || !window.Actor.Equals(actor))
            return false;
        _handles.Remove(actor);
        _windows.Remove(handle);
        window.Release();
        _plane.Numbers.ReturnKey(window.Key);
        return true;
    }

    /// <summary>The rxe driver changes PD and rights; another translation needs another region there.</summary>
    private void ReregMr(UverbsCall call)
    {
        const ReregistrationFlags known = ReregistrationFlags.Translation | ReregistrationFlags.ProtectionDomain | ReregistrationFlags.Access;
        if (!call.TryRead<ReregMrCommand>(out var command) || command.Flags == 0)
        {
            Fail(Errno.EINVAL);
            return;
        }

        if ((command.Flags & ~known) != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            return;
        }

        Domain? domain = null;
        if ((command.Flags & ReregistrationFlags.Translation) != 0 && MemoryRegionChecks.DifferWithinPage(command.Start, command.HcaVa))
        {
            Fail(Errno.EINVAL);
            return;
        }

        if (!_regions.TryGet(command.MrHandle, out var region))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if ((command.Flags & ReregistrationFlags.Access) != 0
            && MemoryRegionChecks.Refuse((AccessFlags)command.AccessFlags) is var errno and not 0)
        {
            Fail(errno);
            return;
        }

        if ((command.Flags & ReregistrationFlags.ProtectionDomain) != 0 && !_domains.TryGet(command.PdHandle, out domain))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if ((command.Flags & ReregistrationFlags.Translation) != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            return;
        }

        if (domain is not null)
            region.MoveTo(domain);
        AccessFlags? access = (command.Flags & ReregistrationFlags.Access) != 0 ? (AccessFlags)command.AccessFlags : null;
        region.Actor.Tell(new MemoryRegionProtocol.Reregister(domain?.Number, access, call));
        Await();
    }
}
