using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover.Relays;

/// <summary>The container of this host that a relay is for, by its address.</summary>
internal readonly record struct RelayOwner(ulong Tenant, Ipv4 Address);
