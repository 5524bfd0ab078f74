using System.Net;
using Freeflow.Lab;
using Freeflow.Router.Admin;
using Freeflow.Router.Configuration;
using Freeflow.Router.Control;
using Freeflow.Router.Dashboard;
using Freeflow.Router.Dashboard.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Freeflow.Router.Tests.Dashboard;

/// <summary>The dashboard as a router serves it, on a port of its own, fed by a model.</summary>
internal sealed class ModelDashboard : IAsyncDisposable
{
    public const string Token = "a-token-of-the-tests";

    private readonly WebApplication _application;
    private readonly LiveFeed _feed;

    private ModelDashboard(WebApplication application, LiveFeed feed)
    {
        (_application, _feed) = (application, feed);
        // What is refused by its headers is answered before its body is sent; a client that grows impatient sends into a closed connection.
        Client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(60) })
        {
            BaseAddress = new Uri(application.Urls.Single().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)),
            Timeout = WaitFor.Scaled(TimeSpan.FromSeconds(60)),
        };
    }

    public HttpClient Client { get; }

    public static async Task<ModelDashboard> StartAsync(ILiveSource? source = null, bool hasToken = true, IPAddress? at = null, params string[] hosts)
    {
        var options = new AdminOptions(new IPEndPoint(at ?? IPAddress.Loopback, 0), hasToken ? AdminToken.TryMake(Token) : null, hosts);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(options.At));
        builder.Services.AddRoutingCore();
        var application = builder.Build();
        new DashboardGate(options).StandBefore(application);
        application.UseRouting();
        var feed = new LiveFeed(source ?? new ModelSource(), TimeSpan.FromMilliseconds(40));
        new DashboardEndpoints(new ModelAnswers(), feed, new ControlBounds()).Map(application);
        await application.StartAsync();
        return new ModelDashboard(application, feed);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _feed.DisposeAsync();
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private sealed class ModelAnswers : IControlAnswers
    {
        public Task<object> AnswerAsync(ControlRequest request, CancellationToken stop) => request.Name switch
        {
            "explain" => throw new ControlException("nobody has that address"),
            _ => Task.FromResult<object>(new { Asked = request.Name, request.Arguments }),
        };
    }
}
