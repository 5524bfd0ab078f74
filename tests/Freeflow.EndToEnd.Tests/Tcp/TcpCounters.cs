using System.Text.Json;

namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>What a host's router has counted of TCP mode: connects of its containers, and arrivals at their listeners.</summary>
public sealed record TcpCounters(long Announced, long Delivered, IReadOnlyDictionary<string, long> Plain)
{
    public static TcpCounters Of(LabFixture lab, string host)
    {
        Assert.True(lab.Status(host).TryGetProperty("Tcp", out var tcp), $"{host}'s router says nothing of TCP mode");
        return new TcpCounters(
            tcp.GetProperty("Announced").GetInt64(),
            tcp.GetProperty("Delivered").GetInt64(),
            tcp.GetProperty("Plain").EnumerateObject().ToDictionary(reason => reason.Name, reason => reason.Value.GetInt64()));
    }

    public static TcpCounters operator -(TcpCounters later, TcpCounters earlier) => new(
        later.Announced - earlier.Announced,
        later.Delivered - earlier.Delivered,
        later.Plain.ToDictionary(reason => reason.Key, reason => reason.Value - earlier.Plain.GetValueOrDefault(reason.Key)));

    public override string ToString() =>
        $"{Announced} announced, {Delivered} delivered, plain: "
        + string.Join(", ", Plain.Where(reason => reason.Value > 0).Select(reason => $"{reason.Value} {reason.Key}").DefaultIfEmpty("none"));
}
