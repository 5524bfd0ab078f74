namespace Freeflow.TestRun;

/// <summary>
/// How much of the tests a run takes. Tests carry the trait "Tier": Loop (an engine, a loop or a cluster at work against the
/// clock, or programs that are compiled and run), Lab (hosts and containers), All (not every day), Machines (the long ones of those
/// in virtual machines), several where several hold; without it they need no root, no time and no network namespace.
/// </summary>
/// <param name="Name">As artifacts/test.json has it.</param>
/// <param name="Filter">The tests, as dotnet test takes it.</param>
/// <param name="Suites">Their assemblies, the quick ones first.</param>
/// <param name="Bound">A suite that takes longer is ended, and the run has failed.</param>
internal sealed record Tier(string Name, string Filter, IReadOnlyList<string> Suites, TimeSpan Bound)
{
    private static readonly string[] s_units = ["Freeflow.Verbs.Tests", "Freeflow.Actors.Tests", "Freeflow.Router.Tests"];
    private static readonly string[] s_machines = ["Freeflow.EndToEnd.Tests"];
    private static readonly string[] s_all = [.. s_units, "Freeflow.Shim.Tests", "Freeflow.EndToEnd.Tests"];

    public static Tier Unit { get; } = new("unit", "Tier!=Loop&Tier!=Lab&Tier!=All", s_units, TimeSpan.FromMinutes(5));

    public static Tier Default { get; } = new("default", "Tier!=All&Tier!=Machines", s_all, TimeSpan.FromMinutes(45));

    public static Tier All { get; } = new("all", "Tier!=Machines", s_all, TimeSpan.FromMinutes(80));

    public static Tier Machines { get; } = new("machines", "FullyQualifiedName~VirtualMachines", s_machines, TimeSpan.FromMinutes(80));

    /// <summary>Of every tier, what an expression names.</summary>
    public static Tier Any { get; } = new("any", "", s_all, TimeSpan.FromMinutes(80));
}
