using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;

namespace Freeflow.Actors.MemoryRegions;

public static class MemoryRegionProtocol
{
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
        | AccessFlags.RemoteAtomic | AccessFlags.HugeTlb | AccessFlags.Optional;

    /// <summary>0, or the errno: EINVAL for rights that need LOCAL_WRITE beside them, or addresses that differ within a page.</summary>
    public static int Refuse(in RegMrCommand command)
    {
        var access = (AccessFlags)command.AccessFlags;
        var pageMask = (ulong)Environment.SystemPageSize - 1;
        var needsLocalWrite = (access & (AccessFlags.RemoteWrite | AccessFlags.RemoteAtomic)) != 0;
        return (access & ~Known) != 0
            || (needsLocalWrite && (access & AccessFlags.LocalWrite) == 0)
            || ((command.Start ^ command.HcaVa) & pageMask) != 0
            || command.Start + command.Length < command.Start
            || command.HcaVa + command.Length < command.HcaVa
            ? Errno.EINVAL
            : 0;
    }
}

/// <summary>One memory region: registers the memory and puts it into the engine, and takes it out again.</summary>
public sealed class MemoryRegionActor : ReceiveActor
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
            _engine.Add(_region);
            Context.Parent.Tell(new ConnectionProtocol.Answer(0, call.Respond(new RegMrResponse { MrHandle = handle, Lkey = key, Rkey = key })));
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
            _engine.Remove(_region!, () => parent.Tell(new ConnectionProtocol.Removed(self, 0)));
        });

        // Looking through a large process's mappings takes its time.
        var write = (access & AccessFlags.LocalWrite) != 0;
        Task.Run(() => memory.Register(command.Start, command.Length, write)).PipeTo(Self);
    }

    public static Props Props(
        VerbsEngine engine, EngineConnection connection, ProcessMemory memory, RegMrCommand command, uint domain, uint key, uint handle, UverbsCall call) =>
        Akka.Actor.Props.Create(() => new MemoryRegionActor(engine, connection, memory, command, domain, key, handle, call));
}
