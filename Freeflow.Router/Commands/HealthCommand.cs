using System.CommandLine;
using Freeflow.Router.Control;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow health`: whether the router of this host does its work, as /healthz says it; for who starts it again when it doesn't.</summary>
internal static class HealthCommand
{
    public static Command Create()
    {
        var json = RouterQuery.Json();
        var command = new Command("health", "Says whether this host's router does its work; ends with 1 where it doesn't") { json };
        command.SetAction((parsed, stop) => RouterQuery.ShowAsync<HealthAnswer>(
            ControlRequest.Of("health"), parsed.GetValue(json), Show, Status, stop));
        return command;
    }

    private static int Show(HealthAnswer answer)
    {
        Console.WriteLine(answer.Hangs ?? "ok");
        return Status(answer);
    }

    private static int Status(HealthAnswer answer) => answer.Hangs is null ? 0 : RouterQuery.Failed;
}
