using Freeflow.Router.Configuration;
using Freeflow.Router.Control;
using Freeflow.Router.Dashboard;
using Freeflow.Router.Dashboard.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Freeflow.Router.Admin;

/// <summary>The router's HTTP side, off the data path and read-only: the dashboard, /metrics, /healthz and /readyz.</summary>
internal sealed class AdminEndpoint : IAsyncDisposable
{
    private const int MostConnections = 64;
    private const int LargestHead = 16 << 10;

    private static readonly TimeSpan s_headWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_stopWithin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_showEvery = TimeSpan.FromSeconds(1);

    private readonly WebApplication _application;
    private readonly RouterMeter _meter;
    private readonly LiveFeed _feed;

    private AdminEndpoint(WebApplication application, RouterMeter meter, LiveFeed feed) => (_application, _meter, _feed) = (application, meter, feed);

    /// <summary>Throws <see cref="IOException"/> when the port is taken.</summary>
    /// <param name="options">Where to listen, and whom to serve.</param>
    /// <param name="name">The router's.</param>
    /// <param name="meter">What there is to count; disposed with this.</param>
    /// <param name="health">How the router is.</param>
    /// <param name="answers">What operators are told.</param>
    /// <param name="source">What the dashboard shows.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<AdminEndpoint> StartAsync(
        AdminOptions options, string name, RouterMeter meter, RouterHealth health, IControlAnswers answers, ILiveSource source, CancellationToken stop)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.At);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestHeadersTotalSize = LargestHead;
            kestrel.Limits.RequestHeadersTimeout = s_headWithin;
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("freeflow", serviceInstanceId: name)).WithMetrics(metrics => metrics
            .AddMeter(RouterMeter.Name, "System.Runtime")
            // Each answer is what holds now; the exporter would give one that is up to 0.3 s old. Requests at the same time still share one.
            .AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0));
        var application = builder.Build();
        new DashboardGate(options).StandBefore(application);
        application.UseRouting();
        application.MapPrometheusScrapingEndpoint();
        application.MapGet("/healthz", async () => Verdict(await health.WhatHangsAsync()));
        application.MapGet("/readyz", () => Verdict(health.WhyNotReady()));
        var feed = new LiveFeed(source, s_showEvery);
        new DashboardEndpoints(answers, feed, new ControlBounds()).Map(application);
        try
        {
            await application.StartAsync(stop);
        }
        catch
        {
            await feed.DisposeAsync();
            await application.DisposeAsync();
            meter.Dispose();
            throw;
        }

        return new AdminEndpoint(application, meter, feed);
    }

    /// <summary>"ok", or 503 with what is wrong.</summary>
    private static IResult Verdict(string? wrong) =>
        Results.Text((wrong ?? "ok") + "\n", statusCode: wrong is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    public async ValueTask DisposeAsync()
    {
        await _feed.DisposeAsync();
        using var bound = new CancellationTokenSource(s_stopWithin);
        await _application.StopAsync(bound.Token);
        await _application.DisposeAsync();
        _meter.Dispose();
    }
}
