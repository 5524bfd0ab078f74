using System.Net;

namespace Freeflow.Verbs.Underlay;

/// <summary>From where routers without certificates take connections: nothing but its address tells who somebody is.</summary>
public static class OpenUnderlay
{
    /// <summary>Why somebody is not taken; null: he is.</summary>
    /// <param name="from">The other end's address.</param>
    /// <param name="allowed">The routers' network; null: everywhere.</param>
    public static string? Refusal(IPAddress from, IPNetwork? allowed) =>
        allowed is not { } network || network.Contains(from.IsIPv4MappedToIPv6 ? from.MapToIPv4() : from) ? null
        : $"it is not in {network}, and routers without certificates take nobody from elsewhere";
}
