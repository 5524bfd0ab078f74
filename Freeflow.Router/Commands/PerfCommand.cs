using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Freeflow.Actors.Measuring;
using Freeflow.Router.Control;
using Freeflow.Router.Output;
using Freeflow.Router.Perf;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow perf SRC DST`: how much goes from here to there, and how quickly.</summary>
internal static class PerfCommand
{
    public static Command Create()
    {
        var source = AddressOf("SRC", "Address of a container of this host, or of this router");
        var destination = AddressOf("DST", "Address of a container, or of a router");
        var size = RouterQuery.Whole("--size", "Bytes of each RDMA WRITE", 65536, 1, MeasurerActor.LargestMessage);
        var seconds = RouterQuery.Whole("--seconds", "How long", 3, 1, MeasurerActor.LongestSeconds - 2);
        var tenant = new Option<string?>("--tenant") { Description = "Whose the addresses are; the default tenant's if it is not given" };
        var json = new Option<bool>("--json") { Description = "Progress and result as JSON, a line each" };
        var command = new Command("perf", "Measures a short transfer between the routers of two containers") { source, destination, size, seconds, tenant, json };
        command.SetAction((parsed, stop) => RouterQuery.FollowAsync(
            ControlRequest.Of(
                "perf", ("Source", parsed.GetValue(source)), ("Destination", parsed.GetValue(destination)), ("Size", $"{parsed.GetValue(size)}"),
                ("Seconds", $"{parsed.GetValue(seconds)}"), ("Tenant", parsed.GetValue(tenant))),
            part =>
            {
                var answer = part.Deserialize<PerfAnswer>()!;
                if (parsed.GetValue(json))
                    Console.WriteLine(part.GetRawText());
                else if (answer.IsDone)
                    Console.WriteLine((Console.IsErrorRedirected ? "" : "\n") + Result(answer));
                else if (!Console.IsErrorRedirected)
                    Console.Error.Write($"\r{Line(answer)}   ");
            },
            stop));
        return command;
    }

    internal static string Result(PerfAnswer answer) => string.Create(
        CultureInfo.InvariantCulture,
        $"{answer.From} to {answer.To}\n{Line(answer)}, {answer.MessagesPerSecond:0} messages/s\n2-byte WRITE to its completion: median {answer.MedianMicroseconds:0.0} µs, p99 {answer.P99Microseconds:0.0} µs");

    private static string Line(PerfAnswer answer) => string.Create(
        CultureInfo.InvariantCulture, $"{answer.Seconds:0.0} s  {ByteCount.Of((ulong)answer.Bytes)}  {ByteCount.Of((ulong)answer.BytesPerSecond)}/s");

    private static Argument<string> AddressOf(string name, string description)
    {
        var argument = new Argument<string>(name) { Description = description };
        argument.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !IPAddress.TryParse(result.Tokens[0].Value, out _))
                result.AddError($"'{Printable.Of(result.Tokens[0].Value)}' is no address");
        });
        return argument;
    }
}
