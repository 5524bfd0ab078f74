using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

public sealed class RedisRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 6379;

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForItsClient(Placement placement)
    {
        const int Length = 5_000_000;
        using var scratch = new ScratchDirectory();
        using var server = Start(scratch, placement);
        var value = scratch.WriteNoise("value", Length);
        Assert.Equal("OK\n", server.Run("sh", "-c", $"redis-cli -h {server.Address} -p {Port} -x set key <{value}"));
        server.Run("sh", "-c", $"redis-cli -h {server.Address} -p {Port} get key | head -c {Length} >{scratch["answer"]}");
        scratch.MustBeEqual("value", "answer");
        Assert.Matches($@" addr={Regex.Escape(server.ClientAddress)}:\d+ laddr={Regex.Escape(server.Address)}:{Port} ", Cli(server, "client", "list"));
        server.MustHaveAccelerated(3);
        server.MustHaveSparedTheOverlay(2 * Length);
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForItsBenchmark(Placement placement)
    {
        const int Requests = 20_000, Clients = 50;
        using var scratch = new ScratchDirectory();
        using var server = Start(scratch, placement);
        var said = server.Run("redis-benchmark", "-h", server.Address, "-p", $"{Port}", "-n", $"{Requests}", "-c", $"{Clients}",
            "-d", "1000", "-t", "ping_mbulk,set,get,incr,lpush", "-e", "-q");
        Assert.Equal(5, Regex.Count(said, @"requests per second"));
        Assert.DoesNotContain("rror", said);
        Assert.True(int.Parse(Cli(server, "get", "counter:__rand_int__")) >= Requests);
        Assert.True(int.Parse(Cli(server, "llen", "mylist")) >= Requests);

        var counted = Regex.Match(Cli(server, "info", "stats"), @"total_connections_received:(\d+)");
        Assert.True(counted.Success && int.Parse(counted.Groups[1].Value) >= Clients, counted.Value);
        server.MustHaveAccelerated(int.Parse(counted.Groups[1].Value));
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WhenItHasSavedInTheBackground(Placement placement)
    {
        const int Later = 5;
        using var scratch = new ScratchDirectory();
        using var server = Start(scratch, placement);
        Assert.Equal("OK\n", Cli(server, "set", "key", "value"));
        foreach (var job in new[] { "bgsave", "bgrewriteaof" })
        {
            // Its child closes the listener that it has inherited.
            Cli(server, job);
            for (var client = 0; client < Later; client++)
                Assert.Equal("PONG\n", Cli(server, "ping"));
            WaitFor.That($"the end of {job}", () => Regex.Count(Cli(server, "info", "persistence"), "_in_progress:1") == 0);
        }

        Assert.Equal("value\n", Cli(server, "get", "key"));
        server.MustHaveAccelerated(2 * Later);
    }

    private ServerProgram Start(ScratchDirectory scratch, Placement placement) => new(
        lab, placement, Port, "redis-server", "--port", $"{Port}", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", scratch.Path);

    private static string Cli(ServerProgram server, params string[] command) =>
        server.Run(["redis-cli", "-h", server.Address, "-p", $"{Port}", .. command]);
}
