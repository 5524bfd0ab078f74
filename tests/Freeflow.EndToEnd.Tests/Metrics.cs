using System.Globalization;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests;

/// <summary>A router's own figures.</summary>
public static class Metrics
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(20);

    /// <summary>All of them, in Prometheus' text format.</summary>
    public static string Of(LabFixture lab, string host)
    {
        var metrics = lab.Hosts.Exec(host, s_bound, "curl", "-sS", "-m", "20", "http://127.0.0.1:4484/metrics");
        return metrics.ExitCode == 0 ? metrics.Output : throw new LabException(metrics.Everything);
    }

    /// <summary>One that has no labels.</summary>
    public static long Of(LabFixture lab, string host, string name)
    {
        var metrics = Of(lab, host);
        var line = metrics.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? throw new LabException($"no {name}: {metrics}") : long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Of one that has labels, the sum over the series with all of these in them; 0 where there is none.</summary>
    public static double Sum(LabFixture lab, string host, string name, params string[] labels) => Of(lab, host).Split('\n')
        .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) && labels.All(line.Contains))
        .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));

    /// <summary>Waits until that many work requests of a container's have been carried out.</summary>
    public static void AwaitMessages(LabFixture lab, string container, int count)
    {
        double Sent() => Sum(lab, container[..2], "freeflow_container_sent_messages_total", $"address=\"{LabFixture.AddressOf(container)}\"");
        var before = Sent();
        WaitFor.That($"{count} work requests of {container}", () => Sent() >= before + count, () => $"{Sent() - before}");
    }
}
