using System.Runtime.InteropServices;
using Akka.Actor;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Freeflow.Verbs.Rings;

namespace Freeflow.Actors.Connections;

// What becomes of the objects: made, mapped, removed.
public sealed partial class ConnectionActor
{
    private UverbsCall? _destroying;
    private long _nextName;

    private sealed class Domain(uint number)
    {
        public uint Number { get; } = number;

        public int Users { get; set; }
    }

    private sealed class Queue(IActorRef actor, EventStream? channel, ulong userHandle)
    {
        public IActorRef Actor { get; } = actor;

        public ulong UserHandle { get; } = userHandle;

        public int Users { get; set; }

        public IDisposable? EngineObject { get; set; }

        public EngineCompletionQueue? Engine => EngineObject as EngineCompletionQueue;

        public void Release() => channel?.Leave();
    }

    private sealed class Pair
    {
        private readonly Domain _domain;
        private readonly Queue _send;
        private readonly Queue _receive;
        private readonly SharedQueue? _shared;

        public Pair(IActorRef actor, Domain domain, Queue send, Queue receive, SharedQueue? shared, uint number, in ExCreateQpCommand command)
        {
            (Actor, Number, UserHandle, Type) = (actor, number, command.UserHandle, (QueuePairType)command.QpType);
            (_domain, _send, _receive, _shared) = (domain, send, receive, shared);
            Use(1);
        }

        public QueuePairType Type { get; }

        /// <summary>The multicast groups that it is attached to, with the LIDs given.</summary>
        public HashSet<(Gid Group, ushort Mlid)> Groups { get; } = [];

        public IActorRef Actor { get; }

        public uint Number { get; }

        public ulong UserHandle { get; }

        public IDisposable? EngineObject { get; set; }

        public void Release() => Use(-1);

        private void Use(int change)
        {
            _domain.Users += change;
            _send.Users += change;
            _receive.Users += change;
            if (_shared is not null)
                _shared.Users += change;
        }
    }

    private sealed class Region(IActorRef actor, Domain domain, uint key, long bytes)
    {
        public IActorRef Actor { get; } = actor;

        public uint Key { get; } = key;

        public long Bytes { get; } = bytes;

        public void Release() => domain.Users--;

        public void MoveTo(Domain other)
        {
            domain.Users--;
            domain = other;
            domain.Users++;
        }
    }

    private void Adopt(ConnectionProtocol.Created created)
    {
        var handle = _handles[created.Object];
        if (created.EngineObject is EngineReceiveQueue shared && _sharedQueues.TryGet(handle, out var sharedQueue))
            sharedQueue.Engine = shared;
        else if (created.EngineObject is EngineCompletionQueue && _completionQueues.TryGet(handle, out var queue))
            queue.EngineObject = created.EngineObject;
        else if (_queuePairs.TryGet(handle, out var pair))
            pair.EngineObject = created.EngineObject;
        Respond(created.Respond([.. created.Rings.Select(Offer)]));
    }

    private MmapInfo Offer(SharedRing ring)
    {
        var offset = _nextOffset;
        _nextOffset += (ulong)ring.Bytes;
        _mappings.Add(offset, ring.Memory);
        return new MmapInfo { Offset = offset, Size = (uint)ring.Bytes };
    }

    private void Map(ShimMmap mmap)
    {
        // As the rxe driver: an unknown offset or too long a mapping is EINVAL.
        if (!_mappings.TryGetValue(mmap.Offset, out var memory) || mmap.Length > (ulong)memory.Length)
            Fail(Errno.EINVAL);
        else
            Answer(new ConnectionProtocol.Answer(0, []) { Descriptors = [memory.Handle] });
    }

    private void Share(ShimShareRequest share)
    {
        var memory = _memory!;
        Task.Run(() => memory.Share(share.Address, share.Length)).PipeTo(Self, failure: _ => SharePlan.Nothing);
        Await();
    }

    private void AnswerShare(SharePlan plan)
    {
        var entry = Marshal.SizeOf<ShimShare>();
        var reply = new byte[(2 * sizeof(uint)) + (plan.Ranges.Count * entry)];
        MemoryMarshal.Write(reply, (uint)plan.Ranges.Count);
        for (var i = 0; i < plan.Ranges.Count; i++)
        {
            var range = plan.Ranges[i];
            MemoryMarshal.Write(reply.AsSpan((2 * sizeof(uint)) + (i * entry)), new ShimShare
            {
                Address = range.Address,
                Length = range.Length,
                Offset = range.Offset,
                Protection = range.Protection,
            });
        }

        Answer(new ConnectionProtocol.Answer(0, reply) { Descriptors = plan.Memory is null ? [] : [plan.Memory.Handle] });
    }

    private void Finish(ConnectionProtocol.Removed removed)
    {
        var call = _destroying;
        _destroying = null;
        if (RemovePair(removed.Object) is { } events)
            Respond(call!.Respond(new DestroyQpResponse { EventsReported = events }));
        else if (RemoveQueue(removed.Object) is { } asyncEvents)
            Respond(call!.Respond(new DestroyCqResponse { CompEventsReported = removed.CompletionEvents, AsyncEventsReported = asyncEvents }));
        else if (RemoveSharedQueue(removed.Object) is { } sharedEvents)
            Respond(call!.Respond(new DestroySrqResponse { EventsReported = sharedEvents }));
        else
        {
            if (!RemoveWindow(removed.Object))
                RemoveRegion(removed.Object);
            Done();
        }

        Context.Stop(removed.Object);
    }

    /// <summary>An object that was never made: it holds nothing any more.</summary>
    private void Forget(IActorRef actor)
    {
        if (RemovePair(actor) is null && RemoveQueue(actor) is null && RemoveSharedQueue(actor) is null)
            RemoveRegion(actor);
        Context.Stop(actor);
    }

    private uint? RemovePair(IActorRef actor)
    {
        if (!_handles.TryGetValue(actor, out var handle) || !_queuePairs.TryGet(handle, out var pair) || !pair.Actor.Equals(actor))
            return null;
        _handles.Remove(actor);
        _queuePairs.Remove(handle);
        pair.Release();
        if (pair.EngineObject is EngineQueuePair engine)
            Unmap(engine.Receives.IsShared ? [engine.SendRing] : [engine.SendRing, engine.ReceiveRing]);
        pair.EngineObject?.Dispose();
        _plane.Numbers.ReturnQpn(pair.Number);
        return TakeAsyncEvents(pair.UserHandle);
    }

    private uint? RemoveQueue(IActorRef actor)
    {
        if (!_handles.TryGetValue(actor, out var handle) || !_completionQueues.TryGet(handle, out var queue) || !queue.Actor.Equals(actor))
            return null;
        _handles.Remove(actor);
        _completionQueues.Remove(handle);
        queue.Release();
        Unmap(queue.Engine is { } engine ? [engine.Ring] : []);
        queue.EngineObject?.Dispose();
        return TakeAsyncEvents(queue.UserHandle);
    }

    private void RemoveRegion(IActorRef actor)
    {
        if (!_handles.TryGetValue(actor, out var handle) || !_regions.TryGet(handle, out var region) || !region.Actor.Equals(actor))
            return;
        _handles.Remove(actor);
        _regions.Remove(handle);
        region.Release();
        _registeredBytes -= region.Bytes;
        _quota.RegisteredBytes.Return(region.Bytes);
        _plane.Numbers.ReturnKey(region.Key);
    }

    private void Unmap(ReadOnlySpan<SharedRing> rings)
    {
        foreach (var ring in rings)
        {
            foreach (var offset in _mappings.Where(entry => entry.Value == ring.Memory).Select(entry => entry.Key).ToArray())
                _mappings.Remove(offset);
        }
    }
}
