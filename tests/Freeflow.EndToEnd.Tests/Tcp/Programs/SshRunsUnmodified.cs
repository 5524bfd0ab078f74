namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>sshd: a process for each connection that begins anew by exec, one confined to a few system calls, and setuid.</summary>
public sealed class SshRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForCommands(Placement placement)
    {
        using var ssh = new SshServer(lab, placement);
        var server = ssh.Program;
        var said = server.Run(ssh.Client, server.Address, "hostname; id -un; echo $SSH_CONNECTION");
        Assert.Matches($@"^{server.Node}\nroot\n{server.ClientAddress} \d+ {server.Address} 2222\n$", said);

        // More than any buffer on the way holds, both ways at once.
        Assert.Equal("5000000\n", server.Run("sh", "-c", $"head -c 5000000 /dev/zero | {ssh.Client} {server.Address} cat | wc -c"));
        var refused = lab.Hosts.Exec(server.ClientNode, TimeSpan.FromSeconds(20), ssh.Client, server.Address, "exit 7");
        Assert.True(refused.ExitCode == 7, refused.Everything);
        server.MustHaveAccelerated(3);
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForRsync(Placement placement)
    {
        const int Length = 20_000_000;
        using var scratch = new ScratchDirectory();
        using var ssh = new SshServer(lab, placement);
        var server = ssh.Program;
        scratch.MakeDirectory("here");
        scratch.WriteNoise("here/large", Length);
        scratch.WriteNoise("here/small", 1000);
        server.Run("rsync", "-a", "-e", ssh.Client, scratch["here/"], $"{server.Address}:{scratch["there"]}");
        server.Run("rsync", "-a", "-e", ssh.Client, $"{server.Address}:{scratch["there/"]}", scratch["back"]);
        foreach (var file in new[] { "large", "small" })
        {
            scratch.MustBeEqual($"here/{file}", $"there/{file}");
            scratch.MustBeEqual($"here/{file}", $"back/{file}");
        }

        server.MustHaveAccelerated(2);
        server.MustHaveSparedTheOverlay(2 * Length);
    }
}
