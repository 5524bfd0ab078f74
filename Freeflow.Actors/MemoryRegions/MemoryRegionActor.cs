using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Inspection;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;

namespace Freeflow.Actors.MemoryRegions;

public static class MemoryRegionProtocol
{
    /// <summary>Changes PD and rights; what is null stays.</summary>
    public sealed record Reregister(uint? Domain, AccessFlags? Access, UverbsCall Call);

    /// <summary>Answered by <see cref="ConnectionProtocol.Removed"/>.</summary>
    public sealed class Deregister
    {
        public static Deregister Instance { get; } = new();
    }
}

/// <summary>The checks of REG_MR that need no memory (ib_uverbs_reg_mr, ib_check_mr_access).</summary>
public static class MemoryRegionChecks
{
    private const AccessFlags Known = AccessFlags.LocalWrite | AccessFlags.RemoteWrite | AccessFlags.RemoteRead
        | AccessFlags.RemoteAtomic | AccessFlags.MwBind | AccessFlags.ZeroBased | AccessFlags.HugeTlb | AccessFlags.Optional;

    private const AccessFlags Remote = AccessFlags.RemoteRead | AccessFlags.RemoteWrite | AccessFlags.RemoteAtomic;

    /// <summary>
    /// 0, or the errno: EINVAL for rights that need LOCAL_WRITE beside them, addresses that differ within a page, or a range
    /// that wraps around or touches no page.
    /// </summary>
    public static int Refuse(in RegMrCommand command)
    {
        var pageMask = (ulong)Environment.SystemPageSize - 1;
        if (DifferWithinPage(command.Start, command.HcaVa))
            return Errno.EINVAL;
        if (Refuse((AccessFlags)command.AccessFlags) is var errno and not 0)
            return errno;
        return command.Start + command.Length < command.Start
            || command.HcaVa + command.Length < command.HcaVa
            || (command.Length == 0 && (command.Start & pageMask) == 0)
            ? Errno.EINVAL
            : 0;
    }

    /// <summary>The errno for a region's rights (ib_check_mr_access); 0: none.</summary>
    public static int Refuse(AccessFlags access)
    {
        var needsLocalWrite = (access & (AccessFlags.RemoteWrite | AccessFlags.RemoteAtomic)) != 0;
        return (needsLocalWrite && (access & AccessFlags.LocalWrite) == 0) || (access & ~Known) != 0 ? Errno.EINVAL : 0;
    }

    public static bool DifferWithinPage(ulong start, ulong iova) => ((start ^ iova) & ((ulong)Environment.SystemPageSize - 1)) != 0;

    /// <summary>The rkey that an application is told: none where no peer has any right.</summary>
    public static uint RemoteKeyOf(uint key, AccessFlags access) => (access & Remote) != 0 ? key : 0;
}

/// <summary>One memory region: registers the memory and puts it into the engine, and takes it out again.</summary>
public sealed class MemoryRegionActor : ListedActor
{
    private readonly VerbsEngine _engine;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private EngineMemoryRegion? _region;

    public MemoryRegionActor(
        VerbsEngine engine, EngineConnection connection, ProcessMemory memory, RegMrCommand command, uint domain, uint key, uint handle, UverbsCall call)
    {
        _engine = engine;
        var access = (AccessFlags)command.AccessFlags & ~AccessFlags.Optional;
        Receive<RegisteredMemory>(registered =>
        {
            _region = new EngineMemoryRegion(connection, key, key, domain, command.HcaVa, registered, access);
            var made = new RegMrResponse { MrHandle = handle, Lkey = key, Rkey = MemoryRegionChecks.RemoteKeyOf(key, access) };
            var (parent, answer) = (Context.Parent, new ConnectionProtocol.Answer(0, call.Respond(made)));
            ShownState = "registered";
            _engine.Add(_region, () => parent.Tell(answer));
        });
        Receive<Status.Failure>(failure =>
        {
            _log.Debug("MR {0:x}: {1}", key, failure.Cause.Message);
            var errno = failure.Cause is MemoryAccessException refused ? refused.Errno : Errno.ENOMEM;
            Context.Parent.Tell(new ConnectionProtocol.NotCreated(Self, errno));
        });
        Receive<MemoryRegionProtocol.Deregister>(_ =>
        {
            var (self, parent) = (Self, Context.Parent);
            // The rxe driver's word for windows that are bound to it.
            _engine.Remove(_region!, removed => parent.Tell(
                removed ? new ConnectionProtocol.Removed(self, 0) : ConnectionProtocol.Answer.Error(Errno.EINVAL)));
        });
        Receive<MemoryRegionProtocol.Reregister>(change =>
        {
            access = change.Access & ~AccessFlags.Optional ?? access;
            var (parent, made) = (Context.Parent, new ReregMrResponse { Lkey = key, Rkey = MemoryRegionChecks.RemoteKeyOf(key, access) });
            _engine.Modify(_region!, change.Domain, change.Access & ~AccessFlags.Optional,
                () => parent.Tell(new ConnectionProtocol.Answer(0, change.Call.Respond(made))));
        });

        Receive<InspectionProtocol.LookAtMemoryRegion>(look => Sender.Tell(new InspectionProtocol.Seen(
            0, new MemoryRegionSeen(look.Container, look.Pid, key, $"0x{command.HcaVa:x}", command.Length, MemoryRegionAccess.NameOf(access)))));

        // Looking through a large process's mappings takes its time.
        var write = (access & (AccessFlags.LocalWrite | AccessFlags.MwBind)) != 0;
        Task.Run(() => memory.Register(command.Start, command.Length, write)).PipeTo(Self);
    }

    public static Props Props(
        VerbsEngine engine, EngineConnection connection, ProcessMemory memory, RegMrCommand command, uint domain, uint key, uint handle, UverbsCall call) =>
        Akka.Actor.Props.Create(() => new MemoryRegionActor(engine, connection, memory, command, domain, key, handle, call));
}
