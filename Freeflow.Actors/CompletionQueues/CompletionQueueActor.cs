using System.ComponentModel;
using Akka.Actor;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Events;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Rings;
using EventStream = Freeflow.Verbs.Channel.EventStream;

namespace Freeflow.Actors.CompletionQueues;

/// <summary>What a CQ is to be.</summary>
public sealed record CompletionQueueSpec(
    VerbsEngine Engine, EngineNews News, EngineConnection Connection, uint Handle, int Entries, EventStream? Channel, ulong UserHandle);

public static class CompletionQueueProtocol
{
    public sealed record Resize(int Entries, UverbsCall Call);

    /// <summary>Answered by <see cref="ConnectionProtocol.Removed"/>.</summary>
    public sealed class Destroy
    {
        public static Destroy Instance { get; } = new();
    }
}

public static class CompletionQueueEvents
{
    /// <summary>A completion was lost because the CQ was full.</summary>
    public sealed class Overrun
    {
        public static Overrun Instance { get; } = new();
    }
}

/// <summary>One CQ. The connection above knows who uses it and frees its ring.</summary>
public sealed class CompletionQueueActor : ListedActor
{
    private readonly CompletionQueueSpec _spec;
    private readonly UverbsCall _call;
    private EngineCompletionQueue? _queue;

    public CompletionQueueActor(CompletionQueueSpec spec, UverbsCall call)
    {
        _spec = spec;
        _call = call;
        Receive<CompletionQueueProtocol.Destroy>(_ => Destroy());
        Receive<CompletionQueueProtocol.Resize>(Resize);
        Receive<CompletionQueueCounts>(counts => Context.Parent.Tell(new ConnectionProtocol.Removed(Self, counts.CompletionEvents)));
        Receive<CompletionQueueEvents.Overrun>(_ =>
        {
            Context.Report(EventKind.CompletionQueueOverrun, $"CQ {_spec.Handle} has overrun: the application took too few completions", ("cq", _spec.Handle));
            Context.Parent.Tell(new ConnectionProtocol.AsyncEvent(AsyncEventType.CqError, _spec.UserHandle));
        });
    }

    public static Props Props(CompletionQueueSpec spec, UverbsCall call) =>
        Akka.Actor.Props.Create(() => new CompletionQueueActor(spec, call));

    protected override void PreStart()
    {
        try
        {
            _queue = EngineCompletionQueue.Create(_spec.Connection, _spec.Handle, _spec.Entries, _spec.Channel, _spec.UserHandle);
        }
        catch (Win32Exception)
        {
            Context.Parent.Tell(new ConnectionProtocol.NotCreated(Self, Errno.ENOMEM));
            return;
        }

        _spec.News.Watch(_queue, Self);
        _spec.Engine.Add(_queue);
        Context.Parent.Tell(new ConnectionProtocol.Created(Self, _queue, [_queue.Ring], Respond));
    }

    protected override void PostStop()
    {
        if (_queue is not null)
            _spec.News.Forget(_queue);
    }

    private byte[] Respond(MmapInfo[] rings)
    {
        var core = new CreateCqResponse { CqHandle = _spec.Handle, Entries = (uint)_queue!.Ring.Capacity };
        return _call.IsExtended
            ? _call.Respond(new ExCreateCqResponse { Base = core, ResponseLength = 16 }, rings)
            : _call.Respond(core, rings);
    }

    private void Resize(CompletionQueueProtocol.Resize resize)
    {
        SharedRing ring;
        try
        {
            ring = EngineCompletionQueue.NewRing(_spec.Connection, _spec.Handle, resize.Entries);
        }
        catch (Win32Exception)
        {
            Context.Parent.Tell(ConnectionProtocol.Answer.Error(Errno.ENOMEM));
            return;
        }

        var (parent, old) = (Context.Parent, _queue!.Ring);
        var made = new ResizeCqResponse { Entries = (uint)ring.Capacity };
        _spec.Engine.Resize(_queue, ring, resize.Entries, moved =>
        {
            // Freed here, since the connection may have ended meanwhile.
            var unused = moved ? old : ring;
            Task.Run(unused.Dispose);
            parent.Tell(new ConnectionProtocol.Moved(
                unused, moved ? ring : null, place => new ConnectionProtocol.Answer(0, resize.Call.Respond(made, place))));
        });
    }

    private void Destroy()
    {
        var self = Self;
        _spec.Engine.Remove(_queue!, counts => self.Tell(counts));
    }
}
