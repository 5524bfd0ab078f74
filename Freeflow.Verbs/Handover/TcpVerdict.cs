namespace Freeflow.Verbs.Handover;

/// <summary>Whether a connection would be accelerated.</summary>
/// <param name="Container">That of its source; null where no container of this router has it.</param>
/// <param name="Processes">Its processes in TCP mode.</param>
/// <param name="Port">The destination's that was judged; 0 when none was named and none is known.</param>
/// <param name="Reason">None: accelerated.</param>
/// <param name="Listeners">The ports on which the destination is known to listen, the first ones.</param>
public sealed record TcpVerdict(string? Container, int Processes, int Port, PlainReason Reason, IReadOnlyList<int> Listeners)
{
    /// <summary>What is looked at, one after the other: the reasons that a connection may be plain for from the start.</summary>
    public static IReadOnlyList<PlainReason> Steps { get; } =
    [
        PlainReason.Underlay, PlainReason.Draining, PlainReason.Privileged, PlainReason.Configured, PlainReason.OwnAddress, PlainReason.Source, PlainReason.NoOwner,
        PlainReason.Unreachable, PlainReason.NoListener, PlainReason.Policy, PlainReason.Busy, PlainReason.Short,
    ];

    /// <summary>Where in <see cref="Steps"/> a reason is; behind them for none.</summary>
    public static int StepOf(PlainReason reason)
    {
        for (var i = 0; i < Steps.Count; i++)
        {
            if (Steps[i] == reason)
                return i;
        }

        return Steps.Count;
    }
}
