using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Freeflow.Router.Control;
using Freeflow.Router.Output;
using Freeflow.Router.Ping;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow ping ROUTER|CONTAINER`: round trips over the data link to another router.</summary>
internal static class PingCommand
{
    private const int NoAnswer = 1;

    public static Command Create()
    {
        var target = new Argument<string>("ROUTER|CONTAINER") { Description = "Address of another router, or of a container, whose router is asked" };
        target.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !IPEndPoint.TryParse(result.Tokens[0].Value, out _))
                result.AddError($"'{Printable.Of(result.Tokens[0].Value)}' is neither an address nor address:port");
        });
        var count = RouterQuery.Whole("--count", "How many round trips", 5, 1, Pinger.MostPings);
        var interval = RouterQuery.Whole("--interval", "Milliseconds between two", 200, 1, 60_000);
        var tenant = new Option<string?>("--tenant") { Description = "The container's tenant, where several have its address" };
        var json = new Option<bool>("--json") { Description = "Each round trip as JSON, a line each" };
        var command = new Command("ping", "Measures round trips over the data link to another router") { target, count, interval, tenant, json };
        command.SetAction(async (parsed, stop) =>
        {
            var pings = new List<PingAnswer>();
            var request = ControlRequest.Of(
                "ping", ("Target", parsed.GetValue(target)), ("Count", $"{parsed.GetValue(count)}"), ("Interval", $"{parsed.GetValue(interval)}"), ("Tenant", parsed.GetValue(tenant)));
            var asJson = parsed.GetValue(json);
            var status = await RouterQuery.FollowAsync(
                request,
                part =>
                {
                    var ping = part.Deserialize<PingAnswer>()!;
                    pings.Add(ping);
                    Console.WriteLine(asJson ? part.GetRawText() : Line(ping));
                },
                stop);
            if (status != 0 || pings.Count == 0)
                return status;
            if (!asJson)
                Console.WriteLine(Summary(pings));
            return pings.Exists(ping => ping.Microseconds is not null) ? 0 : NoAnswer;
        });
        return command;
    }

    internal static string Line(PingAnswer ping) => ping.Microseconds is { } time
        ? string.Create(CultureInfo.InvariantCulture, $"{ping.Router}: seq={ping.Sequence} time={time:0.0} µs")
        : $"{ping.Router}: seq={ping.Sequence} {ping.Problem}";

    internal static string Summary(IReadOnlyList<PingAnswer> pings)
    {
        var times = pings.Select(ping => ping.Microseconds).OfType<double>().Order().ToList();
        var lost = string.Create(CultureInfo.InvariantCulture, $"{pings.Count} sent, {times.Count} answered, {(pings.Count - times.Count) * 100.0 / pings.Count:0} % lost");
        return times.Count == 0 ? lost : string.Create(
            CultureInfo.InvariantCulture,
            $"{lost}\nmin/median/mean/max = {times[0]:0.0}/{times[times.Count / 2]:0.0}/{times.Average():0.0}/{times[^1]:0.0} µs");
    }
}
