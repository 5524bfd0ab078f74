using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>What a connection is to: an address of a tenant, and a port.</summary>
public readonly record struct ListenerKey(ulong Tenant, Ipv4 Address, ushort Port)
{
    public override string ToString() => $"{Address}:{Port}";
}

/// <summary>What other routers have to know of a listener.</summary>
internal readonly record struct ListenerState(bool IsIpv6, bool IsBusy);
