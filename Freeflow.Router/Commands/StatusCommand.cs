using System.CommandLine;
using System.Text.Json;
using Freeflow.Router.Control;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow status`: what the router of this host knows, a line for each thing.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var json = RouterQuery.Json();
        var command = new Command("status", "Shows the members, addresses and counters of this host's router") { json };
        command.SetAction((parsed, stop) => RouterQuery.ShowAsync<JsonElement>(ControlRequest.Of("status"), parsed.GetValue(json), Show, exitCode: null, stop));
        return command;
    }

    private static int Show(JsonElement status)
    {
        foreach (var member in status.GetProperty("Members").EnumerateArray())
        {
            var reachable = member.GetProperty("Reachable").GetBoolean();
            Console.WriteLine($"{member.GetProperty("Address").GetString()} {member.GetProperty("Status").GetString()}{(reachable ? "" : " unreachable")}");
        }

        Console.WriteLine($"cluster {status.GetProperty("Trust").GetProperty("Words").GetString()}");
        foreach (var address in status.GetProperty("Addresses").EnumerateObject())
            Console.WriteLine($"address {address.Name} {address.Value.GetString()}");
        foreach (var counter in status.GetProperty("Engine").EnumerateObject())
            Console.WriteLine($"{counter.Name} {counter.Value}");
        foreach (var counter in status.GetProperty("Tcp").EnumerateObject())
            Console.WriteLine($"tcp {counter.Name} {counter.Value}");
        foreach (var counter in status.GetProperty("RdmaCm").EnumerateObject())
            Console.WriteLine($"rdma_cm {counter.Name} {counter.Value}");
        return 0;
    }
}
