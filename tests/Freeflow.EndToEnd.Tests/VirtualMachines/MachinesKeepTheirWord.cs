using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.VirtualMachines;

/// <summary>What a virtual machine is asked to run is run as it would be here.</summary>
[Collection(MachineFixture.Name)]
[Trait("Tier", "All")]
public sealed class MachinesKeepTheirWord(MachineFixture machines)
{
    [SkippableFact]
    public void StatusOutputErrorsDirectoryAndEnvironmentPass()
    {
        machines.MustBeThere();
        var result = machines.Room[1].Run(MachineFixture.Bound, "bash", "-c", "pwd; echo \"$GREETING\"; hostname; printf err >&2; exit 7");
        Assert.Equal((7, "err"), (result.ExitCode, result.Errors));
        Assert.Equal($"{Environment.CurrentDirectory}\n\nm1\n", result.Output);
        Assert.Equal("to you, sir\n", machines.Must(2, "env", "GREETING=to you, sir", "bash", "-c", "echo \"$GREETING\""));
        Assert.Equal(127, machines.Room[1].Run(MachineFixture.Bound, "no-such-program").ExitCode);
        Assert.Equal(1 << 20, machines.Must(1, "bash", "-c", "head -c 1048576 /dev/zero | tr '\\0' x").Length);
    }

    [SkippableFact]
    public void SignalsReachTheProgramAndItsChildren()
    {
        machines.MustBeThere();
        using var trapping = machines.Room[1].Start("bash", "-c", "trap 'exit 9' TERM; echo $$ > /tmp/trapping; while :; do sleep 0.1; done");
        machines.Must(1, "timeout", "120", "bash", "-c", "until [ -s /tmp/trapping ]; do sleep 0.1; done");
        trapping.Signal("TERM");
        Assert.Equal(9, trapping.Wait(TimeSpan.FromSeconds(60)).ExitCode);

        var late = machines.Room[1].Run(TimeSpan.FromSeconds(2), "bash", "-c", "sleep 12345 & wait");
        Assert.Equal(124, late.ExitCode);
        machines.Must(1, "timeout", "120", "bash", "-c", "while grep -qs 12345 /proc/[0-9]*/cmdline | grep -v bash; do sleep 0.1; done");
    }

    [SkippableFact]
    public void WhatIsWrittenInAMachineIsItsOwn()
    {
        machines.MustBeThere();
        var file = Path.Combine(AppContext.BaseDirectory, "written-in-a-machine");
        machines.Must(1, "sh", "-c", $"echo here > {file}; echo here > /etc/written; mkdir /tmp/written");
        Assert.Equal("here\n", machines.Must(1, "cat", file));
        Assert.False(File.Exists(file) || File.Exists("/etc/written") || Directory.Exists("/tmp/written"), "the machine has written to this one");
        Assert.NotEqual(0, machines.Room[2].Run(MachineFixture.Bound, "cat", file).ExitCode);
    }

    [SkippableFact]
    public void AMachineThatHangsIsSaidWithTheEndOfItsConsole()
    {
        machines.MustBeThere();
        var pid = int.Parse(File.ReadAllText(Path.Combine(machines.Paths.State + "-machines", "m2", "pid")));
        LabProcesses.Kill(pid, "STOP");
        try
        {
            var bound = TimeSpan.FromSeconds(3);
            var hanging = machines.Room[2].Run(bound, "true");
            Assert.Equal(124, hanging.ExitCode);
            Assert.Contains($"not finished within {WaitFor.Scaled(bound).TotalSeconds} s\nin m2; its console ends:", hanging.Errors);
            Assert.Contains("rxe0", hanging.Errors);
        }
        finally
        {
            LabProcesses.Kill(pid, "CONT");
        }

        machines.Must(2, "true");
    }
}
