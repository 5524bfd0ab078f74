using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests;

/// <summary>What a router holds for its containers. Taken before a test breaks something and compared afterwards.</summary>
public sealed record Holdings(int QueuePairs, int CompletionQueues, int MemoryRegions, int Connections, int Groups, int Actors, int MemoryFiles, int Descriptors)
{
    public static Holdings Of(LabFixture lab, string host)
    {
        var status = lab.Status(host);
        var engine = status.GetProperty("Engine");
        int Count(string name) => engine.GetProperty(name).GetInt32();
        var descriptors = Directory.GetFiles($"/proc/{lab.Hosts.Routers.PidOf(host)}/fd");
        return new Holdings(
            Count("QueuePairs"), Count("CompletionQueues"), Count("MemoryRegions"), Count("Connections"), Count("Groups"),
            status.GetProperty("Actors").EnumerateObject().Sum(kind => kind.Value.GetInt32()),
            descriptors.Count(path => new FileInfo(path).LinkTarget?.StartsWith("/memfd:freeflow", StringComparison.Ordinal) == true),
            descriptors.Length);
    }

    /// <summary>Waits until nothing of any container is left: no object, actor or memory file.</summary>
    public static void MustVanish(LabFixture lab, string host)
    {
        var found = Of(lab, host);
        WaitFor.That($"nothing of a container left in {host}'s router", LabFixture.UntilForgotten,
            () => (found = Of(lab, host)) is { QueuePairs: 0, CompletionQueues: 0, MemoryRegions: 0, Connections: 0, Groups: 0, Actors: 0, MemoryFiles: 0 },
            () => found.ToString());
    }
}
