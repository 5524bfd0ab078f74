using System.CommandLine;
using System.Text.Json;
using Freeflow.Actors.Policy;
using Freeflow.Router.Control;
using Freeflow.Router.Output;
using Freeflow.Router.Policy;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow policy`: looks at policies, and puts one in force.</summary>
internal static class PolicyCommand
{
    public static Command Create() => new("policy", "Shows the policy in force, checks files, and puts one in force") { Check(), Apply(), Show() };

    private static Command Check()
    {
        var (file, json) = (File(), RouterQuery.Json());
        var labels = new Option<string?>("--labels") { Description = "Checks a file of labels beside it, too" };
        var command = new Command("check", "Says whether a policy file is right; asks no router") { file, labels, json };
        command.SetAction((parsed, stop) => CheckAsync(parsed.GetRequiredValue(file), parsed.GetValue(labels), parsed.GetValue(json)));
        return command;
    }

    private static Command Apply()
    {
        var (file, json) = (File(), RouterQuery.Json());
        var command = new Command("apply", "Puts a policy in force in this host's router, until its own file changes or it starts again") { file, json };
        command.SetAction(async (parsed, stop) =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(file));
            if (await ReadAsync(path) is not { } text)
                return RouterQuery.Failed;
            return await RouterQuery.ShowAsync<PolicyAnswer>(
                ControlRequest.Of("policy-apply", ("Text", text), ("Source", path)), parsed.GetValue(json), Write, exitCode: null, stop);
        });
        return command;
    }

    private static Command Show()
    {
        var json = RouterQuery.Json();
        var command = new Command("show", "Shows the policy in force") { json };
        command.SetAction((parsed, stop) => RouterQuery.ShowAsync<PolicyAnswer>(ControlRequest.Of("policy-show"), parsed.GetValue(json), Write, exitCode: null, stop));
        return command;
    }

    private static Argument<string> File() => new("FILE") { Description = "A policy (docs/policy.md)" };

    private static async Task<int> CheckAsync(string policy, string? labels, bool json)
    {
        var said = "";
        if (await ReadAsync(policy) is not { } text || (labels is not null && (said = await ReadAsync(labels, PolicyFile.MaximumLabelBytes)) is null))
            return RouterQuery.Failed;
        var path = labels ?? policy;
        try
        {
            var known = LabelFile.Read(said);
            path = policy;
            var answer = PolicyAnswer.Of(PolicyReader.Read(text, known), path, DateTime.UtcNow, path, null);
            if (json)
                Console.WriteLine(JsonSerializer.Serialize(answer));
            else
                Console.WriteLine($"{Printable.Of(path)} is right: {answer.Tenants.Count} tenants, {answer.Rules.Count} rules");
            return 0;
        }
        catch (PolicyException wrong)
        {
            await Console.Error.WriteLineAsync($"freeflow: {Printable.Of(path)}: {wrong.Message}");
            return RouterQuery.Failed;
        }
    }

    /// <summary>Null when it can't be read, which is said.</summary>
    private static async Task<string?> ReadAsync(string path, int maximumBytes = PolicyFile.MaximumBytes)
    {
        var problem = "there is no such file";
        try
        {
            if (PolicyFile.Read(path, maximumBytes) is { } text)
                return text;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            problem = error.Message.ReplaceLineEndings(" ");
        }

        await Console.Error.WriteLineAsync($"freeflow: {Printable.Of(path)} can't be read: {problem}");
        return null;
    }

    private static int Write(PolicyAnswer answer)
    {
        Console.WriteLine($"In force since {answer.Since:yyyy-MM-dd HH:mm:ss} UTC: {Printable.Of(answer.Source)}");
        if (answer.Problem is { } problem)
            Console.WriteLine($"What {Printable.Of(answer.File)} says now does not hold: {Printable.Of(problem)}");
        if (answer.Labels is { Problem: { } wrong } labels)
            Console.WriteLine($"What {Printable.Of(labels.File)} says now does not hold: {Printable.Of(wrong)}");
        Console.WriteLine($"Limits for each container: {answer.ContainerLimits.Words()}");
        var tenants = new Listing("TENANT", "ADDRESSES", "LABELS", "WITHIN IT", "LIMITS", "FOR EACH CONTAINER");
        foreach (var tenant in answer.Tenants)
        {
            tenants.Add(
                tenant.Name, string.Join(", ", tenant.Addresses),
                tenant.Labels.Count > 0 ? $"{string.Join(' ', tenant.Labels)} ({tenant.LabelledAddresses} addresses)" : "",
                tenant.AllowWithin ? "all" : "by rules", tenant.Limits.Words(), tenant.ContainerLimits.Words());
        }

        tenants.Write();
        var rules = new Listing("RULE", "FROM", "TO", "PORTS", "MODE");
        foreach (var rule in answer.Rules)
        {
            rules.Add(
                rule.Name, string.Join(", ", rule.From), string.Join(", ", rule.To), rule.Ports.Count > 0 ? string.Join(", ", rule.Ports) : "any", rule.Mode);
        }

        rules.Write();
        foreach (var entry in answer.Containers)
            Console.WriteLine($"{string.Join(", ", entry.Addresses)}: {entry.Limits.Words()}");
        return 0;
    }
}
