using System.Text.Json;

namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>What a host's router has counted of TCP connections. A counter that the router does not tell is an error here.</summary>
public sealed record TcpCounters
{
    /// <summary>Connects of this host's containers that went accelerated.</summary>
    public required long Announced { get; init; }

    /// <summary>Connections queued to this host's listeners.</summary>
    public required long Delivered { get; init; }

    public required long SocketsIssued { get; init; }

    public required long Refused { get; init; }

    public required long Unannounced { get; init; }

    public required long Strangers { get; init; }

    public required long Expired { get; init; }

    public required long Misused { get; init; }

    public required long Reset { get; init; }

    public required long Listeners { get; init; }

    public required long Processes { get; init; }

    public required long Waiting { get; init; }

    public static TcpCounters Of(LabFixture lab, string host) => lab.Status(host).GetProperty("Tcp").Deserialize<TcpCounters>()!;
}
