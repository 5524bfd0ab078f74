using System.Globalization;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests;

/// <summary>A router's own figures.</summary>
public static class Metrics
{
    /// <summary>One that has no labels.</summary>
    public static long Of(LabFixture lab, string host, string name)
    {
        var metrics = lab.Hosts.Exec(host, TimeSpan.FromSeconds(60), "curl", "-s", "http://127.0.0.1:4484/metrics");
        var line = metrics.Output.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? throw new LabException($"no {name}: {metrics.Everything}") : long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
