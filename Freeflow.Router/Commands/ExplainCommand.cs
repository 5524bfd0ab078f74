using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Freeflow.Router.Control;
using Freeflow.Router.Explanation;
using Freeflow.Router.Output;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow explain SRC DST[:PORT]`: why a connection would be accelerated, or not.</summary>
internal static class ExplainCommand
{
    private const int NotAccelerated = 1;

    public static Command Create()
    {
        var source = new Argument<string>("SRC") { Description = "Address of a container of this host" };
        var destination = new Argument<string>("DST[:PORT]") { Description = "Address of another container, and the port that it listens on" };
        source.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && Parse(result.Tokens[0].Value) is not { Port: 0 })
                result.AddError($"'{Printable.Of(result.Tokens[0].Value)}' is no address");
        });
        destination.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && Parse(result.Tokens[0].Value) is null)
                result.AddError($"'{Printable.Of(result.Tokens[0].Value)}' is neither an address nor address:port");
        });
        var tenant = new Option<string?>("--tenant") { Description = "The source's tenant, where several have its address" };
        var mode = new Option<string>("--mode") { Description = "What the exit status is about", DefaultValueFactory = _ => "both" };
        mode.AcceptOnlyFromAmong("both", "tcp", "rdma");
        var json = RouterQuery.Json();
        var command = new Command("explain", "Tells step by step why a connection would be accelerated, or not") { source, destination, tenant, mode, json };
        command.SetAction((parsed, stop) =>
        {
            var to = Parse(parsed.GetRequiredValue(destination))!;
            var request = ControlRequest.Of(
                "explain",
                ("Source", Parse(parsed.GetRequiredValue(source))!.Address.ToString()),
                ("Destination", to.Address.ToString()),
                ("Port", $"{to.Port}"),
                ("Tenant", parsed.GetValue(tenant)));
            var asked = parsed.GetValue(mode);
            int CodeOf(ExplainAnswer answer) => (asked == "rdma" || answer.Tcp.Accelerated) && (asked == "tcp" || answer.Rdma.Accelerated) ? 0 : NotAccelerated;
            return RouterQuery.ShowAsync<ExplainAnswer>(
                request,
                parsed.GetValue(json),
                answer =>
                {
                    Write(answer, Console.Out);
                    return CodeOf(answer);
                },
                CodeOf,
                stop);
        });
        return command;
    }

    /// <summary>Null for what is neither an address nor one with a port. An IPv4 address is taken as it is written out: "10.1" would be 10.0.0.1.</summary>
    internal static IPEndPoint? Parse(string text)
    {
        if (!IPEndPoint.TryParse(text, out var parsed))
            return null;
        return parsed.AddressFamily != AddressFamily.InterNetwork || text == parsed.Address.ToString() || text == parsed.ToString() ? parsed : null;
    }

    internal static void Write(ExplainAnswer answer, TextWriter output)
    {
        Write(answer.Both, output, "");
        if (!answer.Both.All(step => step.Holds))
        {
            output.WriteLine("TCP: not accelerated");
            output.WriteLine("RDMA: not possible");
            return;
        }

        output.WriteLine($"TCP: {(answer.Tcp.Accelerated ? "accelerated" : "not accelerated")}");
        Write(answer.Tcp.Steps, output, "  ");
        output.WriteLine($"RDMA: {(answer.Rdma.Accelerated ? "possible" : "not possible")}");
        Write(answer.Rdma.Steps, output, "  ");
    }

    private static void Write(IReadOnlyList<StepAnswer> steps, TextWriter output, string indent)
    {
        foreach (var step in steps)
            output.WriteLine($"{indent}{(step.Holds ? "yes" : "NO ")}  {Printable.Of(step.What)}{(step.Detail.Length > 0 ? $" ({Printable.Of(step.Detail)})" : "")}");
    }
}
