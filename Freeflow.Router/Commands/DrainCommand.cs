using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Freeflow.Router.Control;
using Freeflow.Router.Draining;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow drain`: this host's router takes nothing new, so that it can be ended without breaking anything.</summary>
internal static class DrainCommand
{
    public static Command Create()
    {
        var within = RouterQuery.Whole("--within", "Seconds to wait until no QP is left; the router goes on draining after that", 60, 0, 86_400);
        var leave = new Option<bool>("--leave") { Description = "When nothing is left, the router leaves its cluster and ends" };
        var undo = new Option<bool>("--undo") { Description = "The router serves again" };
        var json = new Option<bool>("--json") { Description = "Each step as JSON, a line each" };
        var command = new Command("drain", "Has this host's router take no new connections, and waits until none is left that would break at its end") { within, leave, undo, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(undo) && result.GetValue(leave))
                result.AddError("--undo and --leave exclude each other");
        });
        command.SetAction((parsed, stop) => RouterQuery.FollowAsync(
            ControlRequest.Of(
                "drain", ("Within", $"{parsed.GetValue(within)}"), ("Leave", parsed.GetValue(leave) ? "true" : null), ("Undo", parsed.GetValue(undo) ? "true" : null)),
            part => Console.WriteLine(parsed.GetValue(json) ? part.GetRawText() : Line(part.Deserialize<DrainProgress>()!)),
            stop));
        return command;
    }

    internal static string Line(DrainProgress progress) =>
        !progress.IsDraining ? "the router serves again"
        : progress.IsDone ? $"drained: no QP is left, {progress.Flows} accelerated TCP connections go on without the router{(progress.Leaves ? "; it leaves the cluster and ends" : "")}"
        : string.Create(CultureInfo.InvariantCulture, $"draining for {progress.Seconds:0} s: {progress.QueuePairs} QPs and {progress.Relays} relayed connections are left");
}
