namespace Freeflow.Verbs.Engine;

/// <summary>How the engine thread runs.</summary>
public sealed record EngineOptions
{
    /// <summary>SCHED_RR priority, 1 to 99; 0 leaves the thread at ordinary priority. Without CAP_SYS_NICE it stays ordinary.</summary>
    public int RealTimePriority { get; init; } = 10;

    /// <summary>Never sleep. Only sensible with a core of its own (<see cref="Core"/>).</summary>
    public bool BusyPoll { get; init; }

    /// <summary>The core to stay on; -1 leaves it to the scheduler.</summary>
    public int Core { get; init; } = -1;

    /// <summary>
    /// How long to look for work before sleeping. Zero by default: applications spin on their CQs, and a spinning engine
    /// takes the core that one of them needs.
    /// </summary>
    public TimeSpan SpinFor { get; init; } = TimeSpan.Zero;

    /// <summary>Whether the time from a doorbell to its QP's turn is measured: a look at the clock for each.</summary>
    public bool MeasuresWaits { get; init; } = true;

    /// <summary>TCP congestion control of the data links; empty leaves the system's.</summary>
    public string LinkCongestionControl { get; init; } = "";
}
