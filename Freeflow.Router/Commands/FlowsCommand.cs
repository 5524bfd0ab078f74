using System.CommandLine;
using System.Globalization;
using Freeflow.Router.Control;
using Freeflow.Router.Output;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow flows`: accelerated TCP connections, and the destinations that are not.</summary>
internal static class FlowsCommand
{
    public static Command Create() =>
        RouterQuery.List<FlowsAnswer>("flows", "Shows the accelerated TCP connections that containers of this host have begun, and the destinations that are plain", Show);

    private static int Show(FlowsAnswer answer)
    {
        var flows = new Listing("CLIENT", "SERVER", "TENANT", "ROUTER", "HOST PORT#", "SINCE", "SENT#", "RECEIVED#");
        foreach (var flow in answer.Flows)
        {
            flows.Add(
                flow.Local,
                flow.Peer,
                flow.Tenant,
                flow.Router + (flow.HasStrayed ? " (strayed)" : ""),
                $"{flow.HostPort}",
                flow.Since.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                flow.BytesSent is { } sent ? ByteCount.Of(sent) : "",
                flow.BytesReceived is { } received ? ByteCount.Of(received) : "");
        }

        flows.Write();
        RouterQuery.TellOfTheRest(answer.Flows.Count, answer.Total, silent: 0);
        if (answer.Plain.Count == 0)
            return 0;
        Console.WriteLine();
        var plain = new Listing("PLAIN DESTINATION", "TENANT", "CONTAINER", "PROCESSES#", "WHY");
        foreach (var destination in answer.Plain)
            plain.Add(destination.Destination, destination.Tenant, destination.Container, $"{destination.Processes}", destination.Why);
        plain.Write();
        if (answer.PlainUnseen > 0)
            Console.WriteLine($"{answer.PlainUnseen} more plain destinations are not shown");
        return 0;
    }
}
