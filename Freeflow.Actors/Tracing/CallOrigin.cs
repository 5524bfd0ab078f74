namespace Freeflow.Actors.Tracing;

/// <summary>Whose call it is.</summary>
/// <param name="Container">The container's id.</param>
/// <param name="Tenant">Its tenant's name.</param>
/// <param name="Pid">The process, as the router's pid namespace numbers it; 0 where that has none for it.</param>
public readonly record struct CallOrigin(string Container, string Tenant, int Pid);
