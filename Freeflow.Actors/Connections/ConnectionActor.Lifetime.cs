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

    private sealed class Queue(IActorRef actor, ulong userHandle)
    {
        public IActorRef Actor { get; } = actor;

        public ulong UserHandle { get; } = userHandle;

        public int Users { get; set; }

        public IDisposable? EngineObject { get; set; }

        public EngineCompletionQueue? Engine => EngineObject as EngineCompletionQueue;
    }

    private sealed class Pair(IActorRef actor, Domain domain, Queue send, Queue receive, uint number, ulong userHandle, QueuePairType type)
    {
        public IActorRef Actor { get; } = actor;

        public QueuePairType Type { get; } = type;

        /// <summary>The multicast groups that it is attached to, with the LIDs given.</summary>
        public HashSet<(Gid Group, ushort Mlid)> Groups { get; } = [];

        public uint Number { get; } = number;

        public ulong UserHandle { get; } = userHandle;

        public IDisposable? EngineObject { get; set; }

        public void Release()
        {
            domain.Users--;
            send.Users--;
            receive.Users--;
        }
    }

    private sealed class Region(IActorRef actor, Domain domain, uint key, long bytes)
    {
        public IActorRef Actor { get; } = actor;

        public uint Key { get; } = key;

        public long Bytes { get; } = bytes;

        public void Release() => domain.Users--;
    }

    private void Adopt(ConnectionProtocol.Created created)
    {
        foreach (var queue in _completionQueues.Items.Where(queue => queue.Actor.Equals(created.Object)))
            queue.EngineObject = created.EngineObject;
        foreach (var pair in _queuePairs.Items.Where(pair => pair.Actor.Equals(created.Object)))
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
        else
        {
            RemoveRegion(removed.Object);
            Done();
        }

        Context.Stop(removed.Object);
    }

    /// <summary>An object that was never made: it holds nothing any more.</summary>
    private void Forget(IActorRef actor)
    {
        if (RemovePair(actor) is null && RemoveQueue(actor) is null)
            RemoveRegion(actor);
        Context.Stop(actor);
    }

    private uint? RemovePair(IActorRef actor)
    {
        for (uint handle = 0; handle < _plane.Limits.QueuePairs; handle++)
        {
            if (!_queuePairs.TryGet(handle, out var pair) || !pair.Actor.Equals(actor))
                continue;
            _queuePairs.Remove(handle);
            pair.Release();
            Unmap(pair.EngineObject is EngineQueuePair engine ? [engine.SendRing, engine.ReceiveRing] : []);
            pair.EngineObject?.Dispose();
            _plane.Numbers.ReturnQpn(pair.Number);
            return TakeAsyncEvents(pair.UserHandle);
        }

        return null;
    }

    private uint? RemoveQueue(IActorRef actor)
    {
        for (uint handle = 0; handle < _plane.Limits.CompletionQueues; handle++)
        {
            if (!_completionQueues.TryGet(handle, out var queue) || !queue.Actor.Equals(actor))
                continue;
            _completionQueues.Remove(handle);
            Unmap(queue.Engine is { } engine ? [engine.Ring] : []);
            queue.EngineObject?.Dispose();
            return TakeAsyncEvents(queue.UserHandle);
        }

        return null;
    }

    private void RemoveRegion(IActorRef actor)
    {
        for (uint handle = 0; handle < _plane.Limits.MemoryRegions; handle++)
        {
            if (!_regions.TryGet(handle, out var region) || !region.Actor.Equals(actor))
                continue;
            _regions.Remove(handle);
            region.Release();
            _registeredBytes -= region.Bytes;
            _plane.Numbers.ReturnKey(region.Key);
            return;
        }
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
