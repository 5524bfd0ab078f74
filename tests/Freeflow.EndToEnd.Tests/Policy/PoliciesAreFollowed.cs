using System.Globalization;
using Freeflow.EndToEnd.Tests.Command;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Policy;

/// <summary>What an operator does with policies, on a host whose router runs.</summary>
[Trait("Tier", "All")]
public sealed class PoliciesAreFollowed(LabFixture lab) : IClassFixture<LabFixture>
{
    private readonly FreeflowCommand _freeflow = new(lab);

    [Fact]
    public void AWrongFileIsSaidWithItsPlaceAndTheOldOneStays()
    {
        var (refused, accepted) = (Metric("freeflow_policy_loads_total", "outcome=\"refused\""), Metric("freeflow_policy_loads_total", "outcome=\"accepted\""));
        using var policy = new LabPolicy(lab);
        policy.Put("h1", "tenants { one { addresses = [\"10.244.1.11\"] } }");
        policy.Write("h1", "tenants {\n  one { addresses = [\"10.244.1.300\"] }\n}");
        const string Problem = "line 2, column 22: \"10.244.1.300\" is no address: expected one such as 10.244.1.11, or a network such as 10.244.1.0/24";
        WaitFor.That("what is wrong with the file", FreeflowCommand.Bound, () => policy.Show("h1").GetProperty("Problem").GetString() == Problem, () => policy.Show("h1").GetRawText());
        Assert.Equal("10.244.1.11", policy.Show("h1").GetProperty("Tenants")[0].GetProperty("Addresses")[0].GetString());
        Assert.Contains($"Policy refused: {LabPolicy.File}: {Problem}; what held before stays in force", lab.RouterLog("h1"));
        Assert.Contains(Problem, _freeflow.Text("h1", "policy", "show"));
        Assert.Contains(Problem, _freeflow.Text("h1", "events"));
        Assert.Equal((1, true), (Metric("freeflow_policy_file_wrong"), Metric("freeflow_policy_loads_total", "outcome=\"refused\"") > refused));
        policy.Put("h1", "tenants { one { addresses = [\"10.244.1.12\"] } }");
        Assert.Equal((0, true), (Metric("freeflow_policy_file_wrong"), Metric("freeflow_policy_loads_total", "outcome=\"accepted\"") >= accepted + 2));
        var held = _freeflow.Json("h1", "events").GetProperty("Events").EnumerateArray().Last(each => each.GetProperty("Name").GetString() == "policy-in-force");
        Assert.Equal(LabPolicy.File, held.GetProperty("Facts").GetProperty("source").GetString());
    }

    [Fact]
    public void OneIsCheckedWithoutARouterAndAppliedWithIt()
    {
        using var policy = new LabPolicy(lab);
        policy.Put("h1", "tenants { one { addresses = [\"10.244.1.11\"] } }");
        Write("/run/freeflow/other.conf", "tenants { two { addresses = [\"10.244.1.12\"] } }\nallow = [ { from = two, to = any, ports = 80, mode = tcp } ]");
        Write("/run/freeflow/wrong.conf", "allow = [ { from = three, to = any } ]");

        Assert.Contains("is right: 1 tenants, 1 rules", _freeflow.Text("h1", "policy", "check", "/run/freeflow/other.conf"));
        foreach (var verb in new[] { "check", "apply" })
        {
            var wrong = _freeflow.Run("h1", "policy", verb, "/run/freeflow/wrong.conf");
            Assert.Equal(1, wrong.ExitCode);
            Assert.Contains("/run/freeflow/wrong.conf: line 1, column 20: there is no tenant \"three\"", wrong.Errors);
            var missing = _freeflow.Run("h1", "policy", verb, "/run/freeflow/missing.conf");
            Assert.Equal(1, missing.ExitCode);
            Assert.Contains("/run/freeflow/missing.conf can't be read", missing.Errors);
        }

        Assert.Equal("one", Tenant(policy));
        var applied = _freeflow.Json("h1", "policy", "apply", "/run/freeflow/other.conf");
        Assert.Equal("/run/freeflow/other.conf", applied.GetProperty("Source").GetString());
        Assert.Equal("two", Tenant(policy));
        Assert.Contains("1 (line 2)", _freeflow.Text("h1", "policy", "show"));
        policy.Put("h1", "tenants { three { addresses = [\"10.244.1.13\"] } }");
        Assert.Equal("three", Tenant(policy));
    }

    private double Metric(string name, string label = "")
    {
        var lines = lab.Hosts.Exec("h1", FreeflowCommand.Bound, "curl", "-sS", "-m", "20", "http://127.0.0.1:4484/metrics").Output.Split('\n');
        var line = Assert.Single(lines, line => line.StartsWith(name + "{", StringComparison.Ordinal) && line.Contains(label));
        return double.Parse(line.Split('}')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }

    private static string? Tenant(LabPolicy policy) => policy.Show("h1").GetProperty("Tenants")[0].GetProperty("Name").GetString();

    private void Write(string path, string text)
    {
        var result = lab.Hosts.Exec("h1", FreeflowCommand.Bound, "sh", "-c", "printf %s \"$1\" > \"$2\"", "sh", text, path);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
