using System.Globalization;
using System.Text.Json;
using Freeflow.EndToEnd.Tests.Command;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.Tcp;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Policy;

/// <summary>Real programs up to what a policy gives their container. How exactly rates are kept is measured by the benchmarks.</summary>
[Trait("Tier", "All")]
public sealed class LimitsAreInForce(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Client = "h1c2";
    private const string Server = "h2c2";
    private const int Port = 5224;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>As with those of the settings (Faults/ContainersGetNoMoreThanTheirs.cs), which tells the numbers.</summary>
    [Theory]
    [InlineData("queue-pairs = 40", "qp", 38, "container-limits")]
    [InlineData("memory-regions = 100", "mr", 100, "container-limits")]
    [InlineData("registered-bytes = 32m", "registered-bytes", 32, "container-limits")]
    [InlineData("queue-pairs = 40", "qp", 38, "limits")]
    [InlineData("registered-bytes = 32m", "registered-bytes", 32, "limits")]
    public void BeyondThemThereIsNoMemory(string limit, string kind, int number, string whose)
    {
        using var policy = new LabPolicy(lab);
        Holdings.MustVanish(lab, "h1");
        policy.Put("h1", $"tenants.one {{ addresses = [\"{LabFixture.AddressOf(Client)}\"], {whose} {{ {limit} }} }}");
        var result = lab.Hosts.Exec(Client, s_bound, LabFixture.TestProgram("verbs-limits"), kind, $"{number}");
        Assert.True(result.ExitCode == 0 && result.Output.Contains("as specified"), result.Everything);
    }

    [Theory]
    [InlineData("h2c2", "container-limits")]
    [InlineData("h1c1", "container-limits")]
    [InlineData("h2c2", "limits")]
    public void RdmaIsNoFasterThanItsBandwidth(string server, string whose)
    {
        using var policy = new LabPolicy(lab);
        policy.Put("h1", $"tenants.one {{ addresses = [\"{LabFixture.AddressOf(Client)}\"], {whose} {{ bandwidth = 400Mbit }} }}\nallow = [ {{ from = any, to = any }} ]");
        var limited = WriteBandwidth(server, 65536);
        Assert.True(limited < 0.44, $"{limited} Gbit/s");
        policy.Put("h1", "");
        Assert.True(WriteBandwidth(server, 65536) > limited);
    }

    [Fact]
    public void NorThanItsMessages()
    {
        using var policy = new LabPolicy(lab);
        policy.Put("h1", "container-limits { messages-per-second = 10000 }");
        var gigabits = WriteBandwidth(Server, 64);
        Assert.True(gigabits < 11_000 * 64 * 8 / 1e9, $"{gigabits} Gbit/s in messages of 64 bytes");
    }

    [Theory]
    [InlineData(1, "containers = [ { addresses = [\"ADDRESS\"], limits { bandwidth = 200Mbit } } ]")]
    [InlineData(4, "containers = [ { addresses = [\"ADDRESS\"], limits { bandwidth = 200Mbit } } ]")]
    [InlineData(4, "tenants.one { addresses = [\"ADDRESS\"], limits { bandwidth = 200Mbit } }\nallow = [ { from = any, to = any } ]")]
    public void NorAreItsTcpConnectionsTogether(int streams, string text)
    {
        using var policy = new LabPolicy(lab);
        using var listener = lab.StartListening(Server, Port, "iperf3", "-s", "-p", $"{Port}");
        policy.Put("h1", text.Replace("ADDRESS", LabFixture.AddressOf(Client), StringComparison.Ordinal));
        var acceleration = new Acceleration(lab, Client, Server);
        acceleration.AwaitListener(Port);
        var megabits = Iperf(streams);
        acceleration.MustHaveTaken(streams + 1);
        Assert.True(megabits < 250, $"{megabits} Mbit/s");
        policy.Put("h1", "");
        Assert.True(Iperf(streams) > megabits);
    }

    /// <summary>iperf3 tells every second what it has sent; it runs until all has been seen.</summary>
    [Fact]
    public void ConnectionsThatRunFollowTheLimitAsItChanges()
    {
        using var policy = new LabPolicy(lab);
        using var listener = lab.StartListening(Server, Port, "iperf3", "-s", "-p", $"{Port}");
        var acceleration = new Acceleration(lab, Client, Server);
        acceleration.AwaitListener(Port);
        using var scratch = new ScratchDirectory();
        var log = Path.Combine(scratch.Path, "iperf3");
        using var client = lab.Hosts.Start(
            Client, ["iperf3", "-c", LabFixture.AddressOf(Server), "-p", $"{Port}", "-P", "4", "-t", "300", "-f", "m", "--forceflush", "--logfile", log]);
        Sees("all that there is", log, rate => rate > 800);
        policy.Put("h1", Bandwidth("400Mbit"));
        Sees("the limit", log, rate => rate is > 150 and < 480);
        policy.Put("h1", Bandwidth("40Mbit"));
        Sees("a lower limit", log, rate => rate is > 10 and < 60);
        policy.Put("h1", "");
        Sees("no limit", log, rate => rate > 800);
        acceleration.MustHaveTaken(5);

        static string Bandwidth(string rate) => $"tenants.one {{ addresses = [\"{LabFixture.AddressOf(Client)}\"], container-limits {{ bandwidth = {rate} }} }}\nallow = [ {{ from = any, to = any }} ]";
    }

    [Fact]
    public void MoreConnectionsThanItMayBeginArePlain()
    {
        using var policy = new LabPolicy(lab);
        using var listener = lab.StartListening(Server, Port, "iperf3", "-s", "-p", $"{Port}");
        new Acceleration(lab, Client, Server).AwaitListener(Port);
        policy.Put("h1", "container-limits { connections = 3 }");
        var before = TcpCounters.Of(lab, "h1");
        var result = lab.Hosts.Exec(Client, s_bound, "iperf3", "-c", LabFixture.AddressOf(Server), "-p", $"{Port}", "-t", "1", "-P", "6");
        Assert.True(result.ExitCode == 0, result.Everything);
        var seen = TcpCounters.Of(lab, "h1") - before;
        Assert.True(seen.Announced is > 0 and <= 3 && seen.Plain.GetValueOrDefault("Limit") >= 4, seen.ToString());
    }

    /// <summary>Gbit/s of three seconds.</summary>
    private double WriteBandwidth(string server, int bytes)
    {
        string[] command = ["ib_write_bw", "-s", $"{bytes}", "-D", "3", "--report_gbits"];
        using var listener = lab.StartListening(server, ProgramPair.Port, command);
        var result = lab.Hosts.Exec(Client, s_bound, [.. command, LabFixture.AddressOf(server)]);
        Assert.True(result.ExitCode == 0, result.Everything);
        var words = result.Output.Split('\n').Last(line => line.TrimStart().StartsWith($"{bytes} ", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return double.Parse(words[3], CultureInfo.InvariantCulture);
    }

    /// <summary>Waits for three seconds in a row of which the running iperf3 says that its streams together had such a rate, in Mbit/s.</summary>
    private static void Sees(string what, string log, Func<double, bool> holds)
    {
        var before = Sums(log).Count;
        WaitFor.That(
            $"three seconds in a row with {what}", s_bound,
            () => Sums(log).Skip(before).Aggregate(0, (inARow, rate) => inARow == 3 ? 3 : holds(rate) ? inARow + 1 : 0) == 3,
            () => string.Join(' ', Sums(log)));
    }

    private static List<double> Sums(string log) =>
        [.. (File.Exists(log) ? File.ReadAllLines(log) : []).Where(line => line.StartsWith("[SUM]", StringComparison.Ordinal))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => Array.IndexOf(words, "Mbits/sec") > 0)
            .Select(words => double.Parse(words[Array.IndexOf(words, "Mbits/sec") - 1], CultureInfo.InvariantCulture))];

    /// <summary>Mbit/s of three seconds.</summary>
    private double Iperf(int streams)
    {
        var result = lab.Hosts.Exec(Client, s_bound, "iperf3", "-c", LabFixture.AddressOf(Server), "-p", $"{Port}", "-t", "3", "-P", $"{streams}", "-J");
        Assert.True(result.ExitCode == 0, result.Everything);
        return JsonSerializer.Deserialize<JsonElement>(result.Output).GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble() / 1e6;
    }
}
