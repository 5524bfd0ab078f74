using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Freeflow.Router.Configuration;
using Freeflow.Router.Control;
using Freeflow.Router.Output;
using Freeflow.Router.Rates;
using Spectre.Console;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow top`: who sends and receives how much now.</summary>
internal static class TopCommand
{
    public static Command Create()
    {
        var json = RouterQuery.Json();
        var once = new Option<bool>("--once") { Description = "One interval, then ends; so it is anyway where standard output is no terminal" };
        var interval = new Option<double>("--interval") { Description = "Seconds between two looks", DefaultValueFactory = _ => 1 };
        interval.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!double.TryParse(result.Tokens[0].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) || seconds is < 0.1 or > 3600))
                result.AddError("--interval has to be a number of seconds from 0.1 to 3600");
        });
        var command = new Command("top", "Shows live what containers and peers send and receive each second") { once, interval, json };
        command.SetAction((parsed, stop) => RunAsync(
            TimeSpan.FromSeconds(parsed.GetValue(interval)), parsed.GetValue(once) || parsed.GetValue(json) || Console.IsOutputRedirected, parsed.GetValue(json), stop));
        return command;
    }

    private static async Task<int> RunAsync(TimeSpan interval, bool once, bool json, CancellationToken stop)
    {
        try
        {
            var path = RouterQuery.SocketPath(ConfigurationLoader.Load(null, [], Environment.GetEnvironmentVariable));
            var before = await ReadAsync(path, stop);
            if (!once)
            {
                await ShowLiveAsync(path, before, interval, stop);
                return 0;
            }

            await Task.Delay(interval, stop);
            var rates = RatesAnswer.Between(before, await ReadAsync(path, stop));
            if (json)
                Console.WriteLine(JsonSerializer.Serialize(rates));
            else
                Write(rates, Console.Out);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception problem) when (problem is ControlException or ConfigurationException)
        {
            await Console.Error.WriteLineAsync("freeflow: " + problem.Message);
            return RouterQuery.Failed;
        }
    }

    private static async Task<Figures> ReadAsync(string path, CancellationToken stop) =>
        (await ControlClient.AskAsync(path, ControlRequest.Of("figures"), new ControlBounds().Client, stop)).Deserialize<Figures>()!;

    private static Task ShowLiveAsync(string path, Figures before, TimeSpan interval, CancellationToken stop) =>
        AnsiConsole.Live(new Text("…")).AutoClear(false).StartAsync(async live =>
        {
            for (; ; )
            {
                await Task.Delay(interval, stop);
                var after = await ReadAsync(path, stop);
                var rates = RatesAnswer.Between(before, after);
                live.UpdateTarget(new Rows(new Text(Summary(rates)), Containers(rates, Math.Max(5, Console.WindowHeight - 12)).Table(), Peers(rates).Table()));
                before = after;
            }
        });

    internal static void Write(RatesAnswer rates, TextWriter output)
    {
        output.WriteLine(Summary(rates));
        Containers(rates, int.MaxValue).WriteTo(output, isTerminal: false);
        output.WriteLine();
        Peers(rates).WriteTo(output, isTerminal: false);
    }

    private static string Summary(RatesAnswer rates) => string.Create(
        CultureInfo.InvariantCulture, $"{rates.Router}: {rates.Containers.Count} containers, engine busy {rates.Busy:P0}, {rates.WorkRequests:0} work requests/s");

    private static Listing Containers(RatesAnswer rates, int most)
    {
        var listing = new Listing("CONTAINER", "TENANT", "QPS#", "RDMA OUT/s#", "RDMA IN/s#", "MESSAGES/s#", "ERRORS/s#", "TCP OUT/s#", "TCP IN/s#", "CONNECTIONS/s#");
        foreach (var container in rates.Containers.Take(most))
        {
            listing.Add(
                container.Address.Length > 0 ? container.Address : container.Id,
                container.Tenant,
                $"{container.QueuePairs}",
                Bytes(container.SentBytes),
                Bytes(container.ReceivedBytes),
                Number(container.SentMessages + container.ReceivedMessages),
                Number(container.Errors),
                Bytes(container.TcpSentBytes),
                Bytes(container.TcpReceivedBytes),
                Number(container.TcpConnections));
        }

        return listing;
    }

    private static Listing Peers(RatesAnswer rates)
    {
        var listing = new Listing("PEER", "LINK", "OUT/s#", "IN/s#", "RETRIES/s#");
        foreach (var peer in rates.Peers)
            listing.Add(peer.Address, peer.IsUp ? "up" : "down", Bytes(peer.SentBytes), Bytes(peer.ReceivedBytes), Number(peer.Retries));
        return listing;
    }

    private static string Bytes(double rate) => ByteCount.Of((ulong)Math.Min(rate, long.MaxValue));

    private static string Number(double rate) => rate.ToString(rate is > 0 and < 10 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
