using System.CommandLine;
using System.Text.Json;
using Freeflow.Router.Configuration;
using Freeflow.Router.Control;
using Freeflow.Router.Doctor;
using Freeflow.Router.Output;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow doctor`: whether this host has what a router needs, and what to do where it has not.</summary>
internal static class DoctorCommand
{
    private const int SomethingFails = 1;

    private static readonly TimeSpan s_routerWithin = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var (file, set, json) = (RunCommand.ConfigurationFile(), RunCommand.Setting(), RouterQuery.Json());
        var command = new Command("doctor", "Checks this host, and says what to do; run it as the router is run") { file, set, json };
        command.SetAction((parsed, stop) => ExamineAsync(
            () => ConfigurationLoader.Load(parsed.GetValue(file), parsed.GetValue(set) ?? [], Environment.GetEnvironmentVariable), parsed.GetValue(json), stop));
        return command;
    }

    private static async Task<int> ExamineAsync(Func<Akka.Configuration.Config> load, bool json, CancellationToken stop)
    {
        var findings = HostDoctor.Examine(load, await RouterRunsAsync(load, stop)).ToList();
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(findings));
        else
            Write(findings, Console.Out);
        return findings.Exists(finding => finding.Verdict == Verdict.Fail) ? SomethingFails : 0;
    }

    internal static void Write(IReadOnlyList<Finding> findings, TextWriter output)
    {
        foreach (var finding in findings)
        {
            output.WriteLine($"{finding.Verdict.ToString().ToUpperInvariant(),-4}  {finding.Subject}: {Printable.Of(finding.What)}");
            if (finding.ToDo is { } toDo)
                output.WriteLine($"      {Printable.Of(toDo)}");
        }
    }

    private static async Task<bool> RouterRunsAsync(Func<Akka.Configuration.Config> load, CancellationToken stop)
    {
        try
        {
            await ControlClient.AskAsync(RouterQuery.SocketPath(load()), ControlRequest.Of("status"), s_routerWithin, stop);
            return true;
        }
        catch (Exception problem) when (problem is ControlException or ConfigurationException)
        {
            return false;
        }
    }
}
