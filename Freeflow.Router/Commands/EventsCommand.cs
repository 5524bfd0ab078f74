using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Freeflow.Router.Control;
using Freeflow.Router.Events;
using Freeflow.Router.Output;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow events`: what has happened at this host's router, and with --follow what happens.</summary>
internal static class EventsCommand
{
    public static Command Create()
    {
        var (json, limit) = (RouterQuery.Json(), RouterQuery.Limit());
        var follow = new Option<bool>("--follow", "-f") { Description = "Goes on with what happens, until it is interrupted" };
        var since = new Option<string?>("--since") { Description = "Only events since then: 90s, 15m, 2h or 1d ago, or a time in UTC such as 2026-01-31T12:00:00Z" };
        since.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && TimeOf(result.Tokens[0].Value, DateTime.UtcNow) is null)
                result.AddError($"'{Printable.Of(result.Tokens[0].Value)}' is neither a time such as 2026-01-31T12:00:00Z nor so long ago: 90s, 15m, 2h, 1d");
        });
        var command = new Command("events", "Shows what has happened at this host's router of late") { follow, since, json, limit };
        command.SetAction((parsed, stop) =>
        {
            var after = parsed.GetValue(since) is { } text ? TimeOf(text, DateTime.UtcNow)?.ToString("O", CultureInfo.InvariantCulture) : null;
            var (asJson, follows) = (parsed.GetValue(json), parsed.GetValue(follow));
            var request = ControlRequest.Of("events", ("Limit", $"{parsed.GetValue(limit)}"), ("Since", after), ("Follow", follows ? "true" : null));
            return follows
                ? RouterQuery.FollowAsync(request, part => Show(part, asJson, Console.Out), stop)
                : RouterQuery.ShowAsync<EventsAnswer>(request, asJson, Show, exitCode: null, stop);
        });
        return command;
    }

    /// <summary>Null for what is no time.</summary>
    internal static DateTime? TimeOf(string text, DateTime now)
    {
        double? unit = text.Length < 2 ? null : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            _ => null,
        };
        if (unit is { } seconds)
        {
            return double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * seconds < 1e9
                ? now - TimeSpan.FromSeconds(number * seconds)
                : null;
        }

        return DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }

    internal static void Write(RecordedEvent happened, TextWriter output)
    {
        var time = happened.Time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        output.WriteLine($"{time}  {happened.Severity,-7}  {happened.Name}  {Printable.Of(happened.Text)}");
        if (happened.Unrecorded > 0)
            output.WriteLine($"{time}  {happened.Severity,-7}  {happened.Name}  {happened.Unrecorded} such events came too thick before this one to be kept");
    }

    private static int Show(EventsAnswer answer)
    {
        foreach (var happened in answer.Events)
            Write(happened, Console.Out);
        return 0;
    }

    private static void Show(JsonElement part, bool json, TextWriter output)
    {
        if (json)
        {
            output.WriteLine(part.GetRawText());
            output.Flush();
            return;
        }

        var followed = part.Deserialize<FollowedEvent>()!;
        if (followed.Missed > 0)
            output.WriteLine($"… {followed.Missed} events were missed: they came faster than they were read");
        Write(followed.Event, output);
        output.Flush();
    }
}
