using System.Text.Json;

namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>What a host's router has counted of TCP connections. A counter that the router does not tell is an error here.</summary>
public sealed record TcpCounters
{
    /// <summary>Connects of this host's containers that went accelerated.</summary>
    public required long Announced { get; init; }

    /// <summary>Connections queued to this host's listeners.</summary>
    public required long Delivered { get; init; }

    /// <summary>Why connections were plain.</summary>
    public required IReadOnlyDictionary<string, long> Plain { get; init; }

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

    public required int EndpointPort { get; init; }

    public required int Ipv6EndpointPort { get; init; }

    public static TcpCounters Of(LabFixture lab, string host) => lab.Status(host).GetProperty("Tcp").Deserialize<TcpCounters>()!;

    /// <summary>What has come since; present numbers stay as they are later.</summary>
    public static TcpCounters operator -(TcpCounters later, TcpCounters earlier) => later with
    {
        Announced = later.Announced - earlier.Announced,
        Delivered = later.Delivered - earlier.Delivered,
        Plain = later.Plain.ToDictionary(reason => reason.Key, reason => reason.Value - earlier.Plain.GetValueOrDefault(reason.Key)),
        SocketsIssued = later.SocketsIssued - earlier.SocketsIssued,
        Refused = later.Refused - earlier.Refused,
        Unannounced = later.Unannounced - earlier.Unannounced,
        Strangers = later.Strangers - earlier.Strangers,
        Expired = later.Expired - earlier.Expired,
        Misused = later.Misused - earlier.Misused,
        Reset = later.Reset - earlier.Reset,
    };

    public override string ToString() =>
        $"{Announced} announced, {Delivered} delivered, plain: "
        + string.Join(", ", Plain.Where(reason => reason.Value > 0).Select(reason => $"{reason.Value} {reason.Key}").DefaultIfEmpty("none"));
}
