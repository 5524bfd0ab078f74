using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using Freeflow.Router.Configuration;
using Freeflow.Router.Hosting;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow status`: what the router of this host knows.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Everything, as JSON" };
        var command = new Command("status", "Shows the members, addresses and counters of this host's router") { json };
        command.SetAction((parsed, stop) => ShowAsync(parsed.GetValue(json), stop));
        return command;
    }

    private static async Task<int> ShowAsync(bool json, CancellationToken stop)
    {
        var config = ConfigurationLoader.Load(null, [], Environment.GetEnvironmentVariable);
        var setting = new SettingReader(config);
        var path = ControlSocket.PathOf(setting.AbsolutePath("runtime-directory"), setting.Name("name"));
        string text;
        try
        {
            text = await AskAsync(path, stop);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or IOException)
        {
            await Console.Error.WriteLineAsync($"freeflow: no router answers at {path}: {error.Message}");
            return 1;
        }

        if (json)
        {
            Console.WriteLine(text);
            return 0;
        }

        var status = JsonSerializer.Deserialize<JsonElement>(text);
        foreach (var member in status.GetProperty("Members").EnumerateArray())
        {
            var reachable = member.GetProperty("Reachable").GetBoolean();
            Console.WriteLine($"{member.GetProperty("Address").GetString()} {member.GetProperty("Status").GetString()}{(reachable ? "" : " unreachable")}");
        }

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

    private static async Task<string> AskAsync(string path, CancellationToken stop)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stop);
        bound.CancelAfter(TimeSpan.FromSeconds(3));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), bound.Token);
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(bound.Token);
    }
}
