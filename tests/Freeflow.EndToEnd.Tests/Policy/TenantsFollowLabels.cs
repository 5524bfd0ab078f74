using System.Text.Json;
using Freeflow.EndToEnd.Tests.Command;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Policy;

/// <summary>Whose a container is by what the hosts' files say of it, and by nothing that it says itself.</summary>
[Trait("Tier", "All")]
public sealed class TenantsFollowLabels(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Client = "h1c2";
    private const string Server = "h2c2";
    private const int Port = 5223;
    private const string Tenants = "tenants { shop { labels = \"namespace=shop\" }, lab { labels = [\"namespace=lab\", \"app=tests\"] } }";
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly FreeflowCommand _freeflow = new(lab);

    [Fact]
    public void AndWhatRunsEndsWhenTheyChange()
    {
        using var policy = new LabPolicy(lab);
        policy.Label(Line(Client, "namespace=shop app=web"), Line(Server, "namespace=shop"));
        AwaitLabels(2);
        policy.Put(Tenants);
        Explained(0, "yes  the policy allows it (within tenant shop)");
        using var listener = lab.StartListening(Server, Port, "iperf3", "-s", "-p", $"{Port}");
        var acceleration = new Acceleration(lab, Client, Server);
        acceleration.AwaitListener(Port);
        using var client = lab.Hosts.Start(Client, "iperf3", "-c", LabFixture.AddressOf(Server), "-p", $"{Port}", "-t", "600");
        acceleration.MustHaveTaken(2);
        WaitFor.That("a flow that is known", s_bound, () => _freeflow.Json("h1", "flows").GetProperty("Total").GetInt32() >= 2);

        policy.Label(Line(Client, "app=tests namespace=lab"), Line(Server, "namespace=shop"));
        var ended = client.Wait(s_bound);
        Assert.True(ended.ExitCode is not 0 and not 124, ended.Everything);
        Assert.Matches("reset by peer|connection abort|Broken pipe|unable to|closed", ended.Everything);
        Explained(1, "NO   the policy allows it (no rule allows it from tenant lab to tenant shop)", "NO   the policy allows it (no rule allows it from tenant shop to tenant lab)");
        WaitFor.That("an event of the container's new tenant", s_bound, () => _freeflow.Json("h1", "events").GetProperty("Events").EnumerateArray().Any(each =>
            each.GetProperty("Name").GetString() == "container-tenant"
            && (each.GetProperty("Facts").GetProperty("before").GetString(), each.GetProperty("Facts").GetProperty("tenant").GetString()) == ("shop", "lab")));

        // What it says of itself changes nothing.
        var refused = Perftest("NAMESPACE=shop", "POD_NAMESPACE=shop", "LABELS=namespace=shop", "FREEFLOW_TENANT=shop", "FREEFLOW_LABELS=namespace=shop");
        Assert.True(refused.ExitCode is not 0 and not 124, refused.Everything);
        policy.Label(Line(Client, "namespace=shop"), Line(Server, "namespace=shop"));
        Explained(0, "yes  the policy allows it (within tenant shop)");
        var allowed = Perftest();
        Assert.True(allowed.ExitCode == 0, allowed.Everything);
    }

    [Fact]
    public void AndHostileOnesHarmNothing()
    {
        using var policy = new LabPolicy(lab);
        var logged = lab.RouterLog("h1").Length;
        // Markup, escapes, no UTF-8, one of a megabyte, others' labels in a value.
        policy.LabelBy("h1", $"""
            echo '{Line(Client, "namespace=shop")}'
            printf '10.244.9.1 name=<img/src=x/onerror=alert(1)> title=</td><script>alert(2)</script>\n'
            printf '10.244.9.2 name=\033[2J\033]0;owned\007 \302\233=1 back=\342\200\256pohs\n'
            printf '10.244.9.3 name=\377\376\300\257 namespace=shop\377\n'
            printf '10.244.9.4 name='; head -c 1000000 /dev/zero | tr '\0' x; echo
            printf '10.244.9.5 name=namespace=shop,namespace=shop; \n' | tr -d ';'
            """);
        AwaitLabels(6, "h1");
        policy.Put("h1", Tenants);
        var tenants = policy.Show("h1").GetProperty("Tenants");
        Assert.Equal((1, 0), (tenants[0].GetProperty("LabelledAddresses").GetInt32(), tenants[1].GetProperty("LabelledAddresses").GetInt32()));

        // The same where no label may be: it is said, and what held stays.
        policy.LabelBy("h1", $"""
            echo '{Line(Client, "namespace=lab app=tests")}'
            printf '10.244.9.2 \033[2J<script>\377'; head -c 1000000 /dev/zero | tr '\0' x
            """);
        const string problem = @"line 2, column 12: ""\x1b[2J<script>";
        WaitFor.That("a file that is refused", s_bound, () => Problem(policy).StartsWith(problem, StringComparison.Ordinal), () => policy.Show("h1").GetRawText());
        Assert.InRange(Problem(policy).Length, 1, 300);
        Assert.Equal(1, policy.Show("h1").GetProperty("Tenants")[0].GetProperty("LabelledAddresses").GetInt32());

        var log = lab.RouterLog("h1")[logged..];
        Assert.Contains($"Policy refused: {LabPolicy.LabelFile}: line 2, column 12: ", log);
        foreach (var said in new[] { log, _freeflow.Text("h1", "policy", "show"), _freeflow.Text("h1", "events"), _freeflow.Json("h1", "events").GetRawText() })
        {
            Assert.DoesNotContain('\u001b', said);
            Assert.DoesNotContain(new string('x', 100), said);
        }

        // More than such a file may have, and something that is no file.
        policy.LabelBy("h1", "head -c 20000000 /dev/zero | tr '\\0' '\\n'");
        WaitFor.That("a file that is too long", s_bound, () => Problem(policy).Contains("more than 16777216 bytes", StringComparison.Ordinal), () => policy.Show("h1").GetRawText());
        policy.LabelBy("h1", $"echo '{Line(Client, "namespace=lab app=tests")}'");
        WaitFor.That("right labels again", s_bound, () => policy.Show("h1") is var now && now.GetProperty("Tenants")[1].GetProperty("LabelledAddresses").GetInt32() == 1
            && now.GetProperty("Labels").GetProperty("Problem").ValueKind == JsonValueKind.Null, () => policy.Show("h1").GetRawText());
    }

    private static string Line(string container, string labels) => $"{LabFixture.AddressOf(container)} {labels}";

    private static string Problem(LabPolicy policy) => policy.Show("h1").GetProperty("Labels").GetProperty("Problem").GetString() ?? "";

    private void AwaitLabels(int addresses, params string[] hosts)
    {
        foreach (var host in hosts.Length > 0 ? hosts : ["h1", "h2"])
        {
            WaitFor.That(
                $"{addresses} addresses with labels on {host}", s_bound,
                () => _freeflow.Json(host, "policy", "show").GetProperty("Labels").GetProperty("Addresses").GetInt32() == addresses, () => _freeflow.Text(host, "policy", "show"));
        }
    }

    private Freeflow.Lab.ProgramResult Perftest(params string[] environment)
    {
        using var listener = lab.StartListening(Server, ProgramPair.Port, "ib_write_bw", "-n", "100");
        return lab.Hosts.Exec(Client, s_bound, ["env", .. environment, "ib_write_bw", "-n", "100", LabFixture.AddressOf(Server)]);
    }

    private Freeflow.Lab.ProgramResult Explain(string host, string source, string destination) =>
        _freeflow.Run(host, ["explain", LabFixture.AddressOf(source), LabFixture.AddressOf(destination), "--mode", "rdma"]);

    /// <summary>By both routers: each has its own policy and labels, and looks at them when it comes to it.</summary>
    /// <param name="exitCode">Of either.</param>
    /// <param name="why">From client to server.</param>
    /// <param name="whyBack">From server to client; null: the same.</param>
    private void Explained(int exitCode, string why, string? whyBack = null)
    {
        // A container has its address while a program with the library runs in it.
        using var one = lab.StartListening(Client, ProgramPair.Port, "ibv_rc_pingpong", "-p", $"{ProgramPair.Port}");
        using var other = lab.StartListening(Server, ProgramPair.Port, "ibv_rc_pingpong", "-p", $"{ProgramPair.Port}");
        foreach (var (host, source, destination, words) in new[] { ("h1", Client, Server, why), ("h2", Server, Client, whyBack ?? why) })
        {
            WaitFor.That(
                $"\"{words}\" explained on {host}", s_bound,
                () => Explain(host, source, destination) is var said && said.ExitCode == exitCode && said.Output.Contains(words, StringComparison.Ordinal),
                () => Explain(host, source, destination).Everything);
        }
    }
}
