using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab.VirtualMachines;

namespace Freeflow.EndToEnd.Tests.VirtualMachines;

/// <summary>
/// rdma-core's programs and perftest on the kernel's own Soft-RoCE device, within a machine and across the wire: what they do there
/// is what they are to do on ours and through it.
/// </summary>
[Collection(MachineFixture.Name)]
[Trait("Tier", "All")]
public sealed class ProgramsRunOnTheKernelsDevice(MachineFixture machines)
{
    public static TheoryData<string, Placement> Short => PerftestRunsUnmodified.Lines("ibv_rc_pingpong -n 100", "ib_write_bw -n 100");

    public static TheoryData<string, Placement> PingPongs => PerftestRunsUnmodified.Lines(
        "ibv_rc_pingpong -n 100 -e", "ibv_rc_pingpong -n 100 -c -s 65536", "ibv_uc_pingpong -n 100", "ibv_ud_pingpong -n 100", "ibv_srq_pingpong -n 100");

    /// <summary>Several QPs with messages of 4 KiB: with 64 KiB across the wire Linux 6.1's device ended once with REM_INV_REQ_ERR.</summary>
    public static TheoryData<string, Placement> Perftest => PerftestRunsUnmodified.Lines(
        "ib_send_bw -n 100", "ib_send_lat -n 100", "ib_write_lat -n 100", "ib_read_bw -n 100", "ib_read_lat -n 100", "ib_atomic_bw -n 100", "ib_atomic_lat -n 100",
        "ib_write_bw -q 4 -n 100 -s 4096", "ib_write_bw -a -n 20", "ib_send_bw -e -n 100", "ib_send_bw -b -n 100", "ib_send_bw --use-srq -n 100",
        "ib_send_bw -c UC -n 100", "ib_write_bw -c UC -n 100", "ib_send_bw -c UD -n 100", "ib_send_lat -c UD -n 100");

    [SkippableFact]
    public void TheDeviceIsActiveAndHasTheAddressAsItsGid()
    {
        machines.MustBeThere();
        foreach (var machine in new[] { 1, 2 })
        {
            var said = machines.Must(machine, "ibv_devinfo", "-v");
            Assert.Matches($@"hca_id:\s+{VirtualMachine.Device}", said);
            Assert.Matches(@"state:\s+PORT_ACTIVE", said);
            Assert.Matches($@"GID\[\s*{VirtualMachine.GidIndex}\]:\s+::ffff:{MachineRoom.AddressOf(machine).Replace(".", @"\.")}, RoCE v2", said);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Short))]
    public void InShort(string line, Placement placement) => Run(line, placement);

    [SkippableTheory]
    [Trait("Tier", "Machines")]
    [MemberData(nameof(PingPongs))]
    public void PingPong(string line, Placement placement) => Run(line, placement);

    [SkippableTheory]
    [Trait("Tier", "Machines")]
    [MemberData(nameof(Perftest))]
    public void PerftestInItsWays(string line, Placement placement) => Run(line, placement);

    [SkippableTheory]
    [Trait("Tier", "Machines")]
    [InlineData("rping -s -C 20", "rping -c -a ADDRESS -C 20", Placement.SameHost)]
    [InlineData("rping -s -C 20", "rping -c -a ADDRESS -C 20", Placement.AcrossHosts)]
    [InlineData("ucmatose -c 2", "ucmatose -s ADDRESS -c 2", Placement.SameHost)]
    [InlineData("ucmatose -c 2", "ucmatose -s ADDRESS -c 2", Placement.AcrossHosts)]
    [InlineData("udaddy -c 2", "udaddy -s ADDRESS -c 2", Placement.SameHost)]
    [InlineData("udaddy -c 2", "udaddy -s ADDRESS -c 2", Placement.AcrossHosts)]
    public void ByRdmaCm(string serving, string asking, Placement placement)
    {
        machines.MustBeThere();
        machines.RunCmPair(placement, serving.Split(' '), asking.Split(' '));
    }

    private void Run(string line, Placement placement)
    {
        machines.MustBeThere();
        var gid = line.StartsWith("ibv_", StringComparison.Ordinal) ? "-g" : "-x";
        machines.RunPair(placement, ProgramPair.Port, [.. line.Split(' '), gid, $"{VirtualMachine.GidIndex}"]);
    }
}
