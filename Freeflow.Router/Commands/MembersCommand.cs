using System.CommandLine;
using Freeflow.Router.Control;
using Freeflow.Router.Output;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow members`: the routers of the cluster, and the links to them.</summary>
internal static class MembersCommand
{
    public static Command Create()
    {
        var json = RouterQuery.Json();
        var command = new Command("members", "Shows the routers of the cluster and the links to them") { json };
        command.SetAction((parsed, stop) => RouterQuery.ShowAsync<MembersAnswer>(ControlRequest.Of("members"), parsed.GetValue(json), Show, exitCode: null, stop));
        return command;
    }

    private static int Show(MembersAnswer answer)
    {
        var listing = new Listing("ADDRESS", "STATUS", "REACHABLE", "AGE#", "THIS", "DATA LINK", "TCP-MODE LINK");
        foreach (var member in answer.Members)
        {
            listing.Add(
                member.Address, member.Status, member.Reachable ? "yes" : "no", $"{member.Age}", member.IsOwn ? "yes" : "", member.DataLink, member.HandoverLink);
        }

        listing.Write();
        return 0;
    }
}
