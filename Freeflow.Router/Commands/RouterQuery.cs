using System.CommandLine;
using System.Text.Json;
using Freeflow.Router.Configuration;
using Freeflow.Router.Control;

namespace Freeflow.Router.Commands;

/// <summary>What all commands have in common that ask this host's router: where it is, --json, --limit, and how they fail.</summary>
internal static class RouterQuery
{
    /// <summary>No router answers, or it refuses.</summary>
    public const int Failed = 1;

    /// <summary>What was asked makes no sense.</summary>
    public const int Usage = 2;

    public static Option<bool> Json() => new("--json") { Description = "Everything, as JSON" };

    public static Option<int> Limit() => Whole("--limit", "How many are shown at most", RouterAnswers.DefaultLimit, 1, RouterAnswers.MaximumLimit);

    /// <summary>An option that takes a whole number.</summary>
    public static Option<int> Whole(string name, string description, int otherwise, int least, int most)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var number) || number < least || number > most))
                result.AddError($"{name} has to be a whole number from {least} to {most}");
        });
        return option;
    }

    /// <summary>Asks, and shows the answer as it is or by <paramref name="show"/>, which says how the command ends.</summary>
    public static async Task<int> ShowAsync<T>(ControlRequest request, bool json, Func<T, int> show, Func<T, int>? exitCode, CancellationToken stop)
    {
        try
        {
            var answer = await ControlClient.AskAsync(SocketPath(ConfigurationLoader.Load(null, [], Environment.GetEnvironmentVariable)), request, new ControlBounds().Client, stop);
            if (!json)
                return show(answer.Deserialize<T>()!);
            Console.WriteLine(answer.GetRawText());
            return exitCode is null ? 0 : exitCode(answer.Deserialize<T>()!);
        }
        catch (Exception problem) when (problem is ControlException or ConfigurationException)
        {
            await Console.Error.WriteLineAsync("freeflow: " + problem.Message);
            return Failed;
        }
    }

    /// <summary>Asks for what is told as it happens, and shows each part; interrupted by the user it ends well.</summary>
    public static async Task<int> FollowAsync(ControlRequest request, Action<JsonElement> show, CancellationToken stop)
    {
        try
        {
            var path = SocketPath(ConfigurationLoader.Load(null, [], Environment.GetEnvironmentVariable));
            await foreach (var part in ControlClient.FollowAsync(path, request, new ControlBounds().Silence, stop))
                show(part);
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (Exception problem) when (problem is ControlException or ConfigurationException)
        {
            await Console.Error.WriteLineAsync("freeflow: " + problem.Message);
            return Failed;
        }
    }

    /// <summary>A command that shows a list.</summary>
    public static Command List<T>(string name, string description, Func<T, int> show)
    {
        var (json, limit) = (Json(), Limit());
        var command = new Command(name, description) { json, limit };
        command.SetAction((parsed, stop) => ShowAsync(
            ControlRequest.Of(name, ("Limit", parsed.GetValue(limit).ToString())), parsed.GetValue(json), show, exitCode: null, stop));
        return command;
    }

    /// <summary>Says that a list is not whole.</summary>
    public static void TellOfTheRest(int shown, int total, int silent)
    {
        if (total > shown)
            Console.WriteLine($"{total - shown} more are not shown; --limit N shows N");
        if (silent > 0)
            Console.WriteLine($"{silent} parts of the router did not answer in time; what they know is missing");
    }

    /// <summary>Where the router with these settings answers. Throws <see cref="ConfigurationException"/>.</summary>
    public static string SocketPath(Akka.Configuration.Config config)
    {
        var setting = new SettingReader(config);
        return ControlSocket.PathOf(setting.AbsolutePath("runtime-directory"), setting.Name("name"));
    }
}
