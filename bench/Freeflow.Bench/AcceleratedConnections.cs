using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>
/// Whether what is called Freeflow's went over Freeflow: a connection that goes plain works as well, and its figures would be
/// the overlay's.
/// </summary>
public sealed class AcceleratedConnections(LabHosts lab)
{
    private const string ClientHost = "h1";

    /// <summary>Runs that had none.</summary>
    public List<string> PlainRuns { get; } = [];

    /// <summary>Runs a workload and notes it when it announced no connection.</summary>
    public void Watch(string what, Action run)
    {
        var before = Announced();
        run();
        if (Announced() != before)
            return;
        PlainRuns.Add(what);
        Console.Error.WriteLine($"{what}: no connection was accelerated");
    }

    private long Announced()
    {
        var result = lab.Exec(ClientHost, TimeSpan.FromSeconds(10), "freeflow", "status", "--json");
        if (result.ExitCode != 0)
            throw new LabException($"freeflow status in {ClientHost}: {result.Everything}");
        return JsonSerializer.Deserialize<JsonElement>(result.Output).TryGetProperty("Tcp", out var tcp) ? tcp.GetProperty("Announced").GetInt64() : 0;
    }
}
