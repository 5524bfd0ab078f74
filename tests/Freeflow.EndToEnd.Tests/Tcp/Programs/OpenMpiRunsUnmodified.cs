namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>Open MPI over its TCP transport, started through ssh (tests/Programs/mpi-ring.c).</summary>
public sealed class OpenMpiRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Rounds = 5;
    private const int Message = 8 << 20;

    [Theory]
    [InlineData(2, Placement.SameHost)]
    [InlineData(2, Placement.AcrossHosts)]
    [InlineData(4, Placement.AcrossHosts)]
    public void InARing(int ranks, Placement placement)
    {
        using var scratch = new ScratchDirectory();
        using var ssh = new SshServer(lab, placement, "LD_PRELOAD=/freeflow/libfsocket.so VNET_PREFIX=10.244.0.0/16 FFR_NAME=router");
        var server = ssh.Program;
        var back = new Acceleration(lab, server.Node, server.ClientNode);
        var said = server.Run(
            "env", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", $"TMPDIR={scratch.Path}",
            "mpirun", "--mca", "plm_rsh_agent", ssh.Client, "-H", $"{server.ClientAddress}:2,{server.Address}:2", "--map-by", "node", "--bind-to", "none",
            "-n", $"{ranks}", "--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "10.244.0.0/16",
            "--mca", "oob_tcp_if_include", "10.244.0.0/16", LabFixture.TestProgram("mpi-ring"), $"{Rounds}");
        Assert.Equal($"{Message} bytes right after {Rounds} rounds of {ranks} ranks\n", said);

        // The ranks lie here and there in turn, and a pair that has a connection uses it in both directions.
        server.MustHaveAccelerated(1 + ranks / 2);
        back.MustHaveTaken(ranks == 2 ? 0 : ranks / 2);
        server.MustHaveSparedTheOverlay((long)Message * Rounds * ranks);
    }
}
