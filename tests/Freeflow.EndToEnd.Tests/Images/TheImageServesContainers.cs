using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>The router's image and containers that know nothing of it but their variables and /freeflow, run by podman.</summary>
[Trait("Tier", "All")]
public sealed class TheImageServesContainers(ContainerHosts hosts) : IClassFixture<ContainerHosts>
{
    private const int PingPongPort = 18515, Iperf3Port = 5201;

    private static readonly TimeSpan s_within = TimeSpan.FromMinutes(2);

    [SkippableTheory]
    [InlineData("c1", "-v /freeflow:/freeflow")]
    [InlineData("c1", "-v /freeflow:/freeflow:ro --cap-drop ALL")]
    // Whether the original needed them or not. What has CAP_NET_ADMIN gets no host sockets while it is known, so it is not where TCP mode is tried.
    [InlineData("c2", "-v /freeflow:/freeflow --privileged --ipc host")]
    public void WithRdma(string container, string options)
    {
        hosts.MustBeThere();
        using var server = StartServer(container, PingPongPort, options, "ibv_rc_pingpong");
        var client = Client(container, options, "ibv_rc_pingpong", LabFixture.AddressOf("h2" + container));
        Assert.True(client.ExitCode == 0, client.Everything);
        Assert.Contains("1000 iters in", client.Output);
        Assert.Contains("freeflow: FFR_ID is not needed, and ignored", client.Errors);
        Assert.Contains(LabFixture.AddressOf("h1" + container), hosts.Podman("h1", "exec", "router1", "freeflow", "containers").Output);
    }

    [SkippableFact]
    public void WithAcceleratedTcp()
    {
        hosts.MustBeThere();
        const string options = "-v /freeflow:/freeflow";
        using var server = StartServer("c1", Iperf3Port, options, "iperf3", "-s");
        var said = "";
        WaitFor.That("iperf3's two connections accelerated", s_within, () =>
        {
            var before = Delivered();
            var client = Client("c1", options, "iperf3", "-c", LabFixture.AddressOf("h2c1"), "-t", "1");
            said = client.Everything;
            Assert.True(client.ExitCode == 0, said);
            return Delivered() - before >= 2;
        }, () => said);
    }

    [SkippableFact]
    public void AndIsHealthyAndOfThisVersion()
    {
        hosts.MustBeThere();
        var health = hosts.Podman("h1", "healthcheck", "run", "router1");
        Assert.True(health.ExitCode == 0, health.Everything);
        Assert.Equal("ok\n", hosts.Podman("h1", "exec", "router1", "freeflow", "health").Output);
        Assert.Matches($@"^\d+\.\d+\.\d+{(hosts.Commit.Length > 0 ? @"\+" : "")}{hosts.Commit}\n$", hosts.Podman("h1", "exec", "router1", "freeflow", "--version").Output);
        Assert.Contains("library-installed", hosts.Podman("h1", "exec", "router1", "freeflow", "events").Output);
    }

    [SkippableFact]
    public void AHealthCheckWithoutARouterFails()
    {
        hosts.MustBeThere();
        var health = hosts.Podman("h1", "run", "--rm", "--net", "none", ContainerHosts.Router, "health");
        Assert.Equal(1, health.ExitCode);
        Assert.Contains("freeflow: no router answers at", health.Errors);
    }

    [SkippableFact]
    public void AnotherRoutersNameIsToldWithThoseThatAreThere()
    {
        hosts.MustBeThere();
        var listed = hosts.Podman("h1", ["run", "--rm", .. hosts.At("h1c1", "router9"), "-v", "/freeflow:/freeflow", ContainerHosts.Debian, "ibv_devices"]);
        Assert.Contains("no router at /freeflow/run/router9.sock (No such file or directory); the routers here: router1\n", listed.Errors);
    }

    [SkippableTheory]
    [InlineData("", "/freeflow is not there, and libfsocket.so can't be put there: mount the host's into the router's container (-v /freeflow:/freeflow)")]
    // Of the host's, that has none of Freeflow's.
    [InlineData("-v /usr/share/doc:/freeflow:ro", "Read-only file system")]
    public void OrItEndsWhereTheLibraryCantBePut(string options, string why)
    {
        hosts.MustBeThere();
        var ended = RunRouter("--cap-add NET_ADMIN --cap-add SYS_ADMIN " + options);
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(why, ended.Errors);
    }

    /// <summary>docs/install-docker.md lists them.</summary>
    [SkippableTheory]
    [InlineData("NET_ADMIN")]
    [InlineData("SYS_ADMIN")]
    public void OrItEndsWithoutACapability(string missing)
    {
        hosts.MustBeThere();
        string[] needed = ["NET_ADMIN", "SYS_ADMIN", "SYS_NICE"];
        var ended = RunRouter("-v /freeflow:/freeflow " + string.Join(' ', needed.Where(one => one != missing).Select(one => $"--cap-add {one}")));
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains($"freeflow: the router can't start: CAP_{missing} is missing: ", ended.Errors);
    }

    [SkippableTheory]
    [InlineData("SYS_NICE", "--cap-add NET_ADMIN --cap-add SYS_ADMIN", "RouterService[2] The thread of the engine is not real-time (errno 1; CAP_SYS_NICE is missing?)")]
    public void OrSaysWhatIsWorseWithoutACapability(string missing, string options, string line)
    {
        hosts.MustBeThere();
        var name = $"without-{missing}";
        var begun = hosts.Podman("h1", ["run", "-d", "--name", name, "--net", "none", "-e", "HOST_IP=127.0.0.1", "-e", "FREEFLOW_SEEDS=127.0.0.1", "-v", "/freeflow:/freeflow", .. options.Split(' '), ContainerHosts.Router]);
        Assert.True(begun.ExitCode == 0, begun.Everything);
        try
        {
            WaitFor.That(line, s_within, () => hosts.Podman("h1", "logs", name).Everything.Contains(line, StringComparison.Ordinal), () => hosts.Podman("h1", "logs", name).Everything);
        }
        finally
        {
            hosts.Podman("h1", "rm", "-f", "-t", "0", name);
        }
    }

    [SkippableFact]
    public void OrItEndsWithoutAnAddress()
    {
        hosts.MustBeThere();
        var ended = hosts.Podman("h1", "run", "--rm", "--net", "none", "-v", "/freeflow:/freeflow", ContainerHosts.Router);
        Assert.Equal(78, ended.ExitCode);
        Assert.Contains("expected HOST_IP=address or HOST_IP_PREFIX=network/bits", ended.Errors);
    }

    private ProgramResult RunRouter(string options) => hosts.Podman(
        "h1", ["run", "--rm", "--net", "none", "-e", "HOST_IP=127.0.0.1", "-e", "FREEFLOW_SEEDS=127.0.0.1", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), ContainerHosts.Router]);

    private ProgramResult Client(string container, string options, params string[] command) =>
        hosts.Podman("h1", ["run", "--rm", .. hosts.At("h1" + container, "router1"), .. options.Split(' '), ContainerHosts.Debian, .. command]);

    /// <summary>A container that listens; gone when disposed.</summary>
    private Server StartServer(string container, int port, string options, params string[] command)
    {
        var begun = hosts.Podman("h2", ["run", "-d", "--name", "server", .. hosts.At("h2" + container, "router2"), .. options.Split(' '), ContainerHosts.Debian, .. command]);
        var server = new Server(hosts);
        Assert.True(begun.ExitCode == 0, begun.Everything);
        WaitFor.That($"{command[0]} listening", s_within, () => hosts.Hosts.ListensOverTcp("h2" + container, port), () => hosts.Podman("h2", "logs", "server").Everything);
        return server;
    }

    private long Delivered() => JsonSerializer.Deserialize<JsonElement>(hosts.Podman("h2", "exec", "router2", "freeflow", "status", "--json").Output)
        .GetProperty("Tcp").GetProperty("Delivered").GetInt64();

    private sealed class Server(ContainerHosts hosts) : IDisposable
    {
        public void Dispose() => hosts.Podman("h2", "rm", "-f", "-t", "0", "server");
    }
}
