using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests;

/// <summary>
/// Containers that every router of the shared lab knows with their addresses: a router claims a container's addresses while
/// a program with the library runs there, and the others learn of it a moment later.
/// </summary>
public sealed class KnownContainers : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(20);

    private readonly List<BackgroundProgram> _programs = [];

    public KnownContainers(LabFixture lab, params IEnumerable<string> containers)
    {
        foreach (var container in containers)
            _programs.Add(lab.Hosts.Start(container, "ibv_asyncwatch"));
        foreach (var (container, host) in from container in containers from host in new[] { "h1", "h2" } select (container, host))
        {
            WaitFor.That($"the address of {container} known to the router of {host}", s_bound,
                () => lab.Status(host).GetProperty("Addresses").TryGetProperty(LabFixture.AddressOf(container), out _));
        }
    }

    public void Dispose()
    {
        foreach (var program in _programs)
            program.Dispose();
    }
}
