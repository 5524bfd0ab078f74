using System.Diagnostics.Metrics;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Containers;
using Freeflow.Router.Admin;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Freeflow.Router.Tests.Admin;

public sealed class ContainersAreCounted : IDisposable
{
    private readonly ContainerRegister _register = new();
    private readonly Meter _meter = new("Freeflow.Test");

    public ContainersAreCounted() => ContainerMeter.AddTo(_meter, _register);

    public void Dispose() => _meter.Dispose();

    [Fact]
    public async Task EachForItselfAndTooManyTogether()
    {
        for (var i = 0; i < ContainerMeter.Most + 3; i++)
            Add($"{i:d6}", "default", registered: 10);
        var series = Lines(await ScrapeAsync(), "freeflow_container_registered_bytes");
        Assert.Equal(ContainerMeter.Most + 1, series.Count);
        Assert.EndsWith(" 30", Assert.Single(series, line => line.Contains("container=\"other\"")));
        Assert.All(series.Where(line => !line.Contains("container=\"other\"")), line => Assert.EndsWith(" 10", line));
        _register.Remove("000000");
        Assert.EndsWith(" 20", Assert.Single(Lines(await ScrapeAsync(), "freeflow_container_registered_bytes"), line => line.Contains("container=\"other\"")));
    }

    [Fact]
    public async Task NamesThatAreHostileBreakNothing()
    {
        Add("1", "evil\"} 1\nfreeflow_engine_work_requests_total{x=\"\\", registered: 1);
        var metrics = await ScrapeAsync();
        Assert.DoesNotContain(metrics.Split('\n'), line => line.StartsWith("freeflow_engine", StringComparison.Ordinal));
        Assert.Contains("""tenant="evil\"} 1\nfreeflow_engine_work_requests_total{x=\"\\""", metrics);
        Assert.Single(Lines(metrics, "freeflow_container_registered_bytes"));
    }

    private void Add(string id, string tenant, long registered)
    {
        var holdings = new ContainerQuota(new ContainerLimits());
        holdings.RegisteredBytes.TryTake(registered);
        _register.Set(new ContainerFigures(id, tenant, "10.0.0.1", holdings, new HandoverContainer(id, Tenant.Default)));
    }

    private static List<string> Lines(string metrics, string name) =>
        [.. metrics.Split('\n').Where(line => line.StartsWith(name + "{", StringComparison.Ordinal))];

    private async Task<string> ScrapeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(_meter.Name).AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0));
        await using var application = builder.Build();
        application.UseRouting();
        application.MapPrometheusScrapingEndpoint();
        await application.StartAsync();
        var address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var client = new HttpClient();
        return await client.GetStringAsync(address + "/metrics");
    }
}
