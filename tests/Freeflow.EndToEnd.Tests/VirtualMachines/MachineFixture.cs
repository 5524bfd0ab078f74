using Freeflow.EndToEnd.Tests.Fixtures;
using Freeflow.Lab;
using Freeflow.Lab.VirtualMachines;

namespace Freeflow.EndToEnd.Tests.VirtualMachines;

/// <summary>
/// Two virtual machines joined by a wire, each with a kernel's own Soft-RoCE device, shared by all tests that break none. Boots
/// while nothing else is tested: emulated processors take whatever there is of the machine.
/// </summary>
public sealed class MachineFixture : IDisposable
{
    public const string Name = "virtual machines";

    /// <summary>For what takes seconds on a quiet machine: emulated ones are slow, and slower beside others.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromMinutes(4);

    private readonly string? _missing;

    public MachineFixture()
    {
        Room = new MachineRoom(Paths);
        (var kernel, _missing) = MachineKernel.Find(Paths);
        if (kernel is not null)
            Room.Up(kernel, MachineRoom.MostMachines);
    }

    public LabPaths Paths { get; } = TestRunDirectory.PathsOf("machines");

    public MachineRoom Room { get; }

    public static int Client => 1;

    public static int Server(Placement placement) => placement == Placement.SameHost ? 1 : 2;

    public void Dispose() => Room.Dispose();

    /// <summary>Skips the test where there are no virtual machines on this machine.</summary>
    public void MustBeThere() => Skip.If(_missing is not null, _missing);

    /// <summary>Runs a program in a machine to its end; fails the test unless it succeeds. Returns what it said.</summary>
    public string Must(int machine, params string[] command)
    {
        var result = Room[machine].Run(Bound, command);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', command)} in {Room[machine].Name}: {result.Everything}");
        return result.Output;
    }

    /// <summary>Runs a program as a server that meets its clients on a TCP port, and as a client. Returns what the client said.</summary>
    public string RunPair(Placement placement, int port, params string[] command) =>
        RunPair(placement, $"until grep -qi ':{port:X4} [0-9A-F]*:0000 0A' /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done", command, [.. command, "ADDRESS"]).Client;

    /// <summary>The same for a server that listens by way of rdma_cm; "ADDRESS" in the client's words is the server's.</summary>
    public (string Client, string Server) RunCmPair(Placement placement, string[] serving, string[] asking) =>
        RunPair(placement, "until rdma resource show cm_id | grep -q 'state LISTEN'; do sleep 0.1; done", serving, asking);

    private (string Client, string Server) RunPair(Placement placement, string untilItListens, string[] serving, string[] asking)
    {
        var (server, client) = (Room[Server(placement)], Room[Client]);
        using var serves = server.Start(serving);
        var listens = server.Run(Bound, "timeout", "120", "bash", "-c", untilItListens);
        if (listens.ExitCode != 0)
            Assert.Fail($"{string.Join(' ', serving)} does not listen in {server.Name}: {serves.Wait(TimeSpan.FromSeconds(1)).Everything}\n{listens.Everything}");
        var address = MachineRoom.AddressOf(Server(placement));
        var asked = client.Run(Bound, asking.Select(word => word.Replace("ADDRESS", address)));
        var served = serves.Wait(TimeSpan.FromSeconds(60));
        Assert.True(asked.ExitCode == 0 && served.ExitCode == 0,
            $"client {string.Join(' ', asking)} in {client.Name}: {asked.Everything}\nserver {string.Join(' ', serving)} in {server.Name}: {served.Everything}");
        return (asked.Output, served.Output);
    }
}

[CollectionDefinition(MachineFixture.Name, DisableParallelization = true)]
public sealed class MachineCollection : ICollectionFixture<MachineFixture>;
