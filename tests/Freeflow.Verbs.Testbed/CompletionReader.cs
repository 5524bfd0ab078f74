using System.Diagnostics;
using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;

namespace Freeflow.Verbs.Testbed;

/// <summary>What a library does for ibv_poll_cq.</summary>
internal sealed class CompletionReader(EngineCompletionQueue queue)
{
    private static readonly TimeSpan s_bound = WaitFor.Scaled(TimeSpan.FromSeconds(10));

    private uint _consumer;

    public bool TryTake(out WorkCompletion completion)
    {
        var ring = queue.Ring;
        if (_consumer == ring.Producer)
        {
            completion = default;
            return false;
        }

        completion = MemoryMarshal.Read<WorkCompletion>(ring.Slot(_consumer));
        _consumer = ring.Next(_consumer);
        ring.Consumer = _consumer;
        return true;
    }

    /// <summary>Waits for one completion; throws when none comes within the bound. Spins, as applications do: a pause would take longer than most completions.</summary>
    public WorkCompletion Take()
    {
        var from = Stopwatch.GetTimestamp();
        WorkCompletion completion;
        while (!TryTake(out completion))
        {
            if (Stopwatch.GetElapsedTime(from) > s_bound)
                throw new TimeoutException("no completion");
            Thread.Yield();
        }

        return completion;
    }

    /// <summary>The queue has moved to another ring.</summary>
    public void Remap() => _consumer = queue.Ring.Consumer;
}
