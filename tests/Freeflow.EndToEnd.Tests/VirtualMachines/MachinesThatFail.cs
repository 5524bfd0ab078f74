using Freeflow.EndToEnd.Tests.Fixtures;
using Freeflow.Lab;
using Freeflow.Lab.VirtualMachines;

namespace Freeflow.EndToEnd.Tests.VirtualMachines;

/// <summary>Machines that do not come up, or go down, say why; and leave nothing. In rooms of their own.</summary>
[Collection(MachineFixture.Name)]
[Trait("Tier", "All")]
public sealed class MachinesThatFail(MachineFixture machines) : IDisposable
{
    private readonly LabPaths _paths = TestRunDirectory.PathsOf("failing");

    public void Dispose()
    {
        new MachineRoom(_paths).Down();
        new LabProcesses(_paths).EndAll();
        if (Directory.Exists(_paths.State))
            Directory.Delete(_paths.State, recursive: true);
    }

    [SkippableFact]
    public void WhatQemuRefusesIsQuoted()
    {
        var machine = Begin(new MachineOptions { Address = MachineRoom.AddressOf(1), WireMac = "none", WireListens = true });
        var problem = Assert.Throws<LabException>(machine.AwaitReady);
        Assert.Contains("m1 has ended before it was ready: its qemu ends:\nqemu-system-x86_64:", problem.Message);
        machine.Remove();
        Assert.Empty(Directory.GetDirectories(_paths.State));
    }

    [SkippableFact]
    [Trait("Tier", "Machines")]
    public void WhatKeepsAMachineFromBeingReadyIsSaidWithTheEndOfItsConsole()
    {
        var machine = Begin(new MachineOptions { Address = "192.168.60.256" });
        var problem = Assert.Throws<LabException>(machine.AwaitReady);
        Assert.Contains("m1 is not ready: start: eth0 does not come up; its console ends:", problem.Message);
        Assert.Contains("192.168.60.256", problem.Message);
        machine.Remove();
        Assert.False(machine.IsRunning);
        Assert.Empty(Directory.GetDirectories(_paths.State));
    }

    [SkippableFact]
    [Trait("Tier", "Machines")]
    public void AMachineThatPanicsOrIsKilledEndsItsProgramsAndLeavesNothing()
    {
        machines.MustBeThere();
        using var room = new MachineRoom(_paths);
        room.Up(MachineKernel.Find(_paths).Kernel!, 1);
        using (var sleeps = room[1].Start("sleep", "1000"))
        {
            var panics = room[1].Run(MachineFixture.Bound, "sh", "-c", "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger");
            Assert.Equal(125, panics.ExitCode);
            Assert.Contains("the machine has ended; its console ends:", panics.Errors);
            Assert.Contains("Kernel panic", panics.Errors);
            Assert.Equal(125, sleeps.Wait(MachineFixture.Bound).ExitCode);
        }

        Assert.False(room[1].IsRunning);
        Assert.Contains("the machine does not run", room[1].Run(MachineFixture.Bound, "true").Errors);
        room.Down();
        Assert.False(Directory.Exists(_paths.State + "-machines"));
        Assert.DoesNotContain(_paths.State, File.ReadAllText("/proc/self/mountinfo"));
    }

    /// <summary>`lab vm run`, by hand, and the machine that it leaves behind: none.</summary>
    [SkippableFact]
    [Trait("Tier", "Machines")]
    public void TheLabRunsACommandInAMachineOfItsOwn()
    {
        machines.MustBeThere();
        var lab = Path.Combine(_paths.Repository, "lab");
        var environment = new Dictionary<string, string> { ["FREEFLOW_LAB_DIR"] = _paths.State };
        var shown = Shell.Run(MachineFixture.Bound, environment, lab, "vm", "run", "--", "sh", "-c", "ibv_devices; exit 5");
        Assert.True(shown.ExitCode == 5, shown.Everything);
        Assert.Contains("rxe0", shown.Output);
        Assert.Empty(Directory.GetDirectories(Path.GetDirectoryName(_paths.State)!, Path.GetFileName(_paths.State) + "*"));

        Assert.NotEqual(0, Shell.Run(MachineFixture.Bound, environment, lab, "vm", "exec", "m1", "--", "true").ExitCode);
        foreach (var wrong in new[] { "vm", "vm fly", "vm run", "vm run --machines 3 -- true", "vm up --machines 0", "vm exec m1" })
        {
            var refused = Shell.Run(MachineFixture.Bound, environment, [lab, .. wrong.Split(' ')]);
            Assert.NotEqual(0, refused.ExitCode);
            Assert.NotEmpty(refused.Errors);
        }
    }

    private VirtualMachine Begin(MachineOptions options)
    {
        machines.MustBeThere();
        var machine = new VirtualMachine(_paths, "m1");
        machine.Begin(MachineKernel.Find(_paths).Kernel!, options);
        return machine;
    }
}
