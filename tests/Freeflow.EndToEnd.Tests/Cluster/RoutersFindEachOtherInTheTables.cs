using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Cluster;

[Trait("Tier", "All")]
public sealed class RoutersFindEachOtherInTheTables(SeedlessLab lab) : IClassFixture<SeedlessLab>
{
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(120);

    [Fact]
    public void WithoutBeingToldOfAny()
    {
        MustBeOneCluster();
        Assert.Contains("Membership: seeds: 192.168.50.1:4480, 192.168.50.2:4480, 192.168.50.3:4480 (by tables)", lab.RouterLog("h2"));
        new ProgramPair(lab, "h3c1", "h1c1").Run(TimeSpan.FromSeconds(60), "ibv_rc_pingpong");
    }

    [Fact]
    public void StartedAllAtOnce()
    {
        foreach (var host in SeedlessLab.Names)
            lab.Hosts.Routers.Kill(host);
        var logged = SeedlessLab.Names.ToDictionary(host => host, host => lab.RouterLog(host).Length);
        foreach (var host in SeedlessLab.Names)
            lab.Hosts.Routers.Start(host, inHostPidNamespace: false, hosts: SeedlessLab.Count);
        lab.Hosts.Routers.AwaitCluster(SeedlessLab.Count, LabRouters.ClusterWithin);
        MustBeOneCluster();
        foreach (var host in SeedlessLab.Names)
            Assert.DoesNotContain("this router ends", lab.RouterLog(host)[logged[host]..]);
    }

    /// <summary>The lowest one, which would start a cluster if it heard of none.</summary>
    [Theory]
    [InlineData("h1")]
    [InlineData("h3")]
    public void StartedAgain(string restarted)
    {
        var others = SeedlessLab.Names.Where(host => host != restarted).ToDictionary(host => host, host => lab.Hosts.Routers.PidOf(host));
        lab.Hosts.Routers.Kill(restarted);
        lab.Hosts.Routers.Start(restarted, inHostPidNamespace: false, hosts: SeedlessLab.Count);
        lab.Hosts.Routers.AwaitCluster(SeedlessLab.Count, LabRouters.ClusterWithin);
        MustBeOneCluster();
        Assert.All(others, other => Assert.Equal(other.Value, lab.Hosts.Routers.PidOf(other.Key)));
    }

    [Theory]
    [InlineData(4480, "refused a connection from")]
    [InlineData(4481, "refused")]
    public void AStrangerFromElsewhereIsTakenByNoPort(int port, string refusal)
    {
        const string Stranger = "192.168.60.3", Own = "192.168.60.1";
        Change("h1", "add", Own);
        Change("h3", "add", Stranger);
        try
        {
            var logged = lab.RouterLog("h1").Length;
            var result = lab.Hosts.Exec("h3", s_within, "python3", "-c", $"""
                import socket
                with socket.create_connection(("{LabLayout.UnderlayAddress(1)}", {port}), 60, ("{Stranger}", 0)) as stream:
                    try:
                        print(stream.recv(1))
                    except ConnectionResetError:
                        print(b'')
                """);
            Assert.Equal("b''", result.Output.Trim());
            WaitFor.That($"h1 telling of {Stranger}", s_within, () => lab.RouterLog("h1")[logged..].Split('\n').Any(line =>
                line.Contains(refusal, StringComparison.Ordinal) && line.Contains(Stranger, StringComparison.Ordinal) && line.Contains($"it is not in {LabLayout.UnderlayPrefix}", StringComparison.Ordinal)),
                () => lab.RouterLog("h1")[logged..]);
        }
        finally
        {
            Change("h1", "del", Own);
            Change("h3", "del", Stranger);
        }
    }

    [Fact]
    public void WhatItGoesByAndWhoMayJoinIsTold()
    {
        var doctor = lab.Hosts.ExecPrivileged(
            "h2", s_within, "env", $"HOST_IP_PREFIX={LabLayout.UnderlayPrefix}", "FREEFLOW_SEED_FILE=/nowhere", "freeflow", "doctor", "--config", lab.Hosts.Paths.LabConfiguration);
        Assert.Contains(
            "OK    seeds: 192.168.50.1:4480, 192.168.50.2:4480, 192.168.50.3:4480 (by tables); asked in this order: file (/nowhere), tables (192.168.50.0/24)", doctor.Output);
        Assert.Contains("WARN  seeds: /nowhere can't be read", doctor.Output);
        const string Open = $"open to everybody in {LabLayout.UnderlayPrefix}, and not encrypted";
        Assert.Contains($"WARN  cluster: {Open}", doctor.Output);
        Assert.Contains($"cluster {Open}", lab.Hosts.Routers.Status("h2"));
        Assert.True(lab.Status("h2").GetProperty("Trust").GetProperty("IsOpen").GetBoolean());
        Assert.Contains("cluster-open-within", lab.Hosts.Exec("h2", s_within, "freeflow", "events").Output);
    }

    private void MustBeOneCluster()
    {
        foreach (var host in SeedlessLab.Names)
        {
            WaitFor.That($"three members in the cluster of {host}", s_within, () => Members(host) == "192.168.50.1:4480 192.168.50.2:4480 192.168.50.3:4480", () => Members(host));
        }
    }

    private string Members(string host) => string.Join(' ', lab.Status(host).GetProperty("Members").EnumerateArray().Select(member => member.GetProperty("Address").GetString()).Order());

    private void Change(string host, string change, string address)
    {
        var result = lab.Hosts.ExecPrivileged(host, TimeSpan.FromSeconds(30), "ip", "address", change, address + "/24", "dev", "eth0");
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
