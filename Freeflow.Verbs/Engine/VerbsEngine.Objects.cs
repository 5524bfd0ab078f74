using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Rings;

namespace Freeflow.Verbs.Engine;

// Commands on CQs, SRQs, regions and windows.
public sealed partial class VerbsEngine
{
    public void Add(EngineCompletionQueue completionQueue) => Post(() =>
    {
        completionQueue.Connection.CompletionQueues.Add(completionQueue);
        _core.Statistics.CompletionQueues++;
    });

    public void Remove(EngineCompletionQueue completionQueue, Action<CompletionQueueCounts> done) =>
        Post(() => done(RemoveNow(completionQueue)));

    /// <summary>
    /// Takes a region in. Its keys must not be told before <paramref name="done"/>: a round that has begun may meet a request with
    /// one of them first.
    /// </summary>
    public void Add(EngineMemoryRegion region, Action? done = null) => Post(() =>
    {
        region.Connection.MemoryRegions.Add(region);
        _core.Keys.Add(region);
        _core.Statistics.MemoryRegions++;
        done?.Invoke();
    });

    /// <summary>Takes a region out; false, and it stays, while windows are bound to it.</summary>
    public void Remove(EngineMemoryRegion region, Action<bool> done) => Post(() =>
    {
        if (region.Windows > 0)
        {
            done(false);
            return;
        }

        RemoveNow(region);
        done(true);
    });

    /// <summary>
    /// Moves a CQ to another ring, made for <paramref name="entries"/>; false when more lies in it. The old ring is the caller's
    /// to free.
    /// </summary>
    public void Resize(EngineCompletionQueue completionQueue, SharedRing ring, int entries, Action<bool> done) =>
        Post(() => done(completionQueue.TryMoveTo(ring, entries)));

    /// <summary>
    /// Moves an SRQ to another ring, if one is given, and then sets its limit, if one is given. False, and nothing is changed,
    /// when the ring is too small for what is posted. The old ring is the caller's to free.
    /// </summary>
    public void Modify(EngineReceiveQueue shared, SharedRing? ring, uint? limit, Action<bool> done) => Post(() =>
    {
        if (ring is not null && !shared.TryMoveTo(ring))
        {
            done(false);
            return;
        }

        shared.Limit = limit ?? shared.Limit;
        done(true);
    });

    /// <summary>Runs once the engine has nothing more to do with an SRQ that no QP uses.</summary>
    public void Remove(EngineReceiveQueue shared, Action done)
    {
        ArgumentNullException.ThrowIfNull(shared);
        Post(done);
    }

    /// <summary>Gives a region another PD or other rights; what is null stays.</summary>
    public void Modify(EngineMemoryRegion region, uint? protectionDomain, AccessFlags? access, Action done) => Post(() =>
    {
        region.ProtectionDomain = protectionDomain ?? region.ProtectionDomain;
        region.Access = access ?? region.Access;
        done();
    });

    /// <summary>Takes a window in; <paramref name="done"/> as for a region.</summary>
    public void Add(EngineMemoryWindow window, Action? done = null) => Post(() =>
    {
        window.Connection.MemoryWindows.Add(window);
        _core.Keys.Add(window);
        _core.Statistics.MemoryWindows++;
        done?.Invoke();
    });

    public void Remove(EngineMemoryWindow window, Action done) => Post(() =>
    {
        RemoveNow(window);
        done();
    });

    private CompletionQueueCounts RemoveNow(EngineCompletionQueue completionQueue)
    {
        if (!completionQueue.Connection.CompletionQueues.Remove(completionQueue))
            return default;
        _core.Statistics.CompletionQueues--;
        return completionQueue.Retire();
    }

    private void RemoveNow(EngineMemoryRegion region)
    {
        if (!region.Connection.MemoryRegions.Remove(region))
            return;
        _core.Keys.Remove(region);
        _core.Statistics.MemoryRegions--;
        region.Memory.Dispose();
    }

    private void RemoveNow(EngineMemoryWindow window)
    {
        if (!window.Connection.MemoryWindows.Remove(window))
            return;
        window.Unbind();
        _core.Keys.Remove(window);
        _core.Statistics.MemoryWindows--;
    }

    /// <summary>Windows of type 2 end with the QP that bound them.</summary>
    private static void UnbindWindowsOf(EngineQueuePair queuePair)
    {
        foreach (var window in queuePair.Connection.MemoryWindows)
        {
            if (window.QueuePair == queuePair)
                window.Unbind();
        }
    }
}
