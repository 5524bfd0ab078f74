namespace Freeflow.EndToEnd.Tests.Collector;

/// <summary>A span as it came.</summary>
/// <param name="Protocol">grpc or http/protobuf.</param>
/// <param name="Resource">Attributes of whoever has sent it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Trace">The trace's id, in hexadecimal.</param>
/// <param name="Id">Its own.</param>
/// <param name="Parent">Its parent's; empty: none.</param>
/// <param name="Kind">1: internal, 2: server, 3: client, 4: producer, 5: consumer.</param>
/// <param name="Nanoseconds">How long it took.</param>
/// <param name="Status">0: unset, 1: ok, 2: error.</param>
/// <param name="Attributes">What it says.</param>
public sealed record ReceivedSpan(
    string Protocol, IReadOnlyDictionary<string, string> Resource, string Name, string Trace, string Id, string Parent, long Kind, ulong Nanoseconds, long Status,
    IReadOnlyDictionary<string, string> Attributes);
