using System.CommandLine;
using Freeflow.Router.Control;
using Freeflow.Router.Output;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow containers`: whom this host's router serves, and with what.</summary>
internal static class ContainersCommand
{
    private const int Most = 8;

    public static Command Create() => RouterQuery.List<ContainersAnswer>("containers", "Shows the containers that this host's router serves", Show);

    private static int Show(ContainersAnswer answer)
    {
        var listing = new Listing("ADDRESS", "TENANT", "ID", "QPS#", "CQS#", "MRS#", "REGISTERED#", "LISTENERS#", "TCP MODE", "PROCESSES");
        foreach (var container in answer.Containers)
        {
            var objects = container.Objects;
            listing.Add(
                Several(container.Addresses, address => $"{address.Address}%{address.Interface}{(address.IsOwn ? "" : " (another container has it)")}"),
                container.Tenant,
                container.Id,
                $"{objects.QueuePairs}",
                $"{objects.CompletionQueues}",
                $"{objects.MemoryRegions}",
                ByteCount.Of((ulong)Math.Max(0, objects.RegisteredBytes)),
                $"{container.Listeners}",
                container.IsPrivileged ? "off: privileged" : "on",
                Several(container.Processes, NameOf));
        }

        listing.Write();
        RouterQuery.TellOfTheRest(answer.Containers.Count, answer.Total, answer.Silent);
        return 0;
    }

    private static string NameOf(ProcessAnswer process) =>
        (process.Name.Length > 0 ? process.Name : "pid") + (process.Pid > 0 ? $" {process.Pid}" : " unseen") + $" ({process.Kind})";

    /// <summary>The first ones: a container chooses how many it has.</summary>
    private static string Several<T>(IReadOnlyList<T> all, Func<T, string> show) =>
        string.Join(", ", all.Take(Most).Select(show)) + (all.Count > Most ? $" and {all.Count - Most} more" : "");
}
