using System.Diagnostics.Metrics;
using Freeflow.Actors.Containers;
using Freeflow.Verbs.Abi;

namespace Freeflow.Router.Admin;

/// <summary>
/// What is counted of each container. At most <see cref="Most"/> have series of their own, those with the lowest ids; the others are counted together as
/// "other", so that containers that come and go don't fill whoever stores the metrics.
/// </summary>
internal static class ContainerMeter
{
    public const int Most = 256;

    private const string Others = "other";

    private static readonly (WorkCompletionStatus Status, string Name)[] s_statuses =
        [.. Enum.GetValues<WorkCompletionStatus>().Select(status => (status, status.ToString()))];

    public static void AddTo(Meter meter, ContainerRegister register)
    {
        void Counter(string name, Func<ContainerFigures, long> read, string unit, string description) =>
            meter.CreateObservableCounter("freeflow.container." + name, () => Read(register, read), unit, description);
        void Gauge(string name, Func<ContainerFigures, long> read, string unit, string description) =>
            meter.CreateObservableGauge("freeflow.container." + name, () => Read(register, read), unit, description);

        Counter("sent_bytes", container => container.Holdings.Tally.BytesSent, "By", "Payload that has left a container's memory by RDMA");
        Counter("received_bytes", container => container.Holdings.Tally.BytesReceived, "By", "Payload placed in a container's memory by RDMA");
        Counter("sent_messages", container => container.Holdings.Tally.MessagesSent, "{message}", "Work requests of a container's send queues carried out");
        Counter("received_messages", container => container.Holdings.Tally.MessagesReceived, "{message}", "Messages of its peers placed in a container's memory");
        Counter("retries", container => container.Holdings.Tally.Retries, "{retry}", "Requests of a container's QPs that were sent again");
        Counter("rnr_naks", container => container.Holdings.Tally.RnrNaks, "{nak}", "Messages that found no receive posted at a container's QPs");
        Gauge("queue_pairs", container => container.Holdings.QueuePairs.Count, "{qp}", "Queue pairs of a container");
        Gauge("memory_regions", container => container.Holdings.MemoryRegions.Count, "{mr}", "Memory regions of a container");
        Gauge("registered_bytes", container => container.Holdings.RegisteredBytes.Taken, "By", "Bytes that a container has registered, each region counted");
        meter.CreateObservableCounter(
            "freeflow.container.completions",
            () => s_statuses.SelectMany(status => Read(register, container => container.Holdings.Tally.CompletionsWith(status.Status), ("status", status.Name), skipZero: status.Status != 0)),
            "{completion}", "Completions written for a container, by status; those that have never come are left out");
        meter.CreateObservableCounter(
            "freeflow.container.tcp_connections",
            () => Read(register, container => container.Handover.Announced, ("outcome", "accelerated"))
                .Concat(Read(register, container => container.Handover.Plain, ("outcome", "plain")))
                .Concat(Read(register, container => container.Handover.Delivered, ("outcome", "delivered")))
                .Concat(Read(register, container => container.Handover.NotDelivered, ("outcome", "not_delivered"))),
            "{connection}", "TCP connections begun by a container (accelerated, plain) and come to it over host sockets (delivered, not_delivered)");
    }

    private static IEnumerable<Measurement<long>> Read(
        ContainerRegister register, Func<ContainerFigures, long> read, (string Name, string Value)? label = null, bool skipZero = false)
    {
        var seen = 0;
        long others = 0;
        foreach (var container in register.All.OrderBy(container => container.Id, StringComparer.Ordinal))
        {
            var value = read(container);
            if (seen++ >= Most)
                others += value;
            else if (value != 0 || !skipZero)
                yield return Of(value, container.Id, container.Address, container.Tenant, label);
        }

        if (seen > Most && (others != 0 || !skipZero))
            yield return Of(others, Others, "", "", label);
    }

    private static Measurement<long> Of(long value, string id, string address, string tenant, (string Name, string Value)? label)
    {
        KeyValuePair<string, object?>[] whose = [new("container", id), new("address", address), new("tenant", tenant)];
        return label is { } more ? new Measurement<long>(value, [.. whose, new(more.Name, more.Value)]) : new Measurement<long>(value, whose);
    }
}
