using System.Text.Json;
using Freeflow.Router.Control;
using Freeflow.Router.Dashboard.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Freeflow.Router.Dashboard;

/// <summary>
/// The page, and below /api what it is fed with: the documents that `freeflow … --json` prints, and a stream of what changes. All of it
/// reads; nothing can be changed here.
/// </summary>
internal sealed class DashboardEndpoints(IControlAnswers answers, LiveFeed feed, ControlBounds bounds)
{
    public const string Prefix = "/api";

    /// <summary>Questions under way at once; the stream is counted by itself.</summary>
    private const int MostQuestions = 8;

    private static readonly (string Name, string[] Arguments)[] s_questions =
    [
        ("status", []), ("members", []), ("containers", ["Limit"]), ("qps", ["Limit"]), ("mrs", ["Limit"]), ("flows", ["Limit"]), ("events", ["Limit", "Since"]),
        ("explain", ["Source", "Destination", "Port", "Tenant"]),
    ];

    private readonly PageFiles _files = new();
    private readonly SemaphoreSlim _room = new(MostQuestions);

    public void Map(WebApplication application)
    {
        string[] reading = [HttpMethods.Get, HttpMethods.Head];
        application.MapMethods("/", reading, (HttpContext context) => _files.ServeAsync(context, null));
        application.MapMethods(PageFiles.Prefix + "/{**name}", reading, (HttpContext context, string name) => _files.ServeAsync(context, name));
        foreach (var (name, arguments) in s_questions)
            application.MapGet($"{Prefix}/{name}", context => AnswerAsync(context, name, arguments));
        application.MapGet(Prefix + "/stream", StreamAsync);
    }

    /// <summary>The control socket's question, with the arguments from the query: ?source=… and so on.</summary>
    private async Task AnswerAsync(HttpContext context, string name, string[] arguments)
    {
        if (!await _room.WaitAsync(TimeSpan.Zero))
        {
            await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, new { Error = "too many questions at once" });
            return;
        }

        try
        {
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            bound.CancelAfter(bounds.Answering);
            var given = arguments.Where(key => context.Request.Query[key].ToString().Length > 0).ToDictionary(key => key, key => context.Request.Query[key].ToString());
            var answer = await answers.AnswerAsync(new ControlRequest(name, given), bound.Token).WaitAsync(bound.Token);
            await WriteAsync(context, StatusCodes.Status200OK, answer);
        }
        catch (ControlException refused)
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, new { Error = refused.Message });
        }
        catch (Exception late) when (late is OperationCanceledException or TimeoutException && !context.RequestAborted.IsCancellationRequested)
        {
            await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, new { Error = "it took too long" });
        }
        finally
        {
            _room.Release();
        }
    }

    /// <summary>Server-Sent Events: one with everything, then one a second with what has changed. `?actors=true` has the actors, too.</summary>
    private async Task StreamAsync(HttpContext context)
    {
        using var viewer = feed.TryAdd(withActors: context.Request.Query["actors"] == "true");
        if (viewer is null)
        {
            context.Response.Headers.RetryAfter = "5";
            await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, new { Error = $"{LiveFeed.MostViewers} pages are open already" });
            return;
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            await foreach (var message in viewer.Messages.ReadAllAsync(context.RequestAborted))
            {
                await context.Response.Body.WriteAsync(message, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The page was closed, or does not read.
        }
    }

    private static Task WriteAsync(HttpContext context, int status, object answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(answer), context.RequestAborted).AsTask();
    }
}
