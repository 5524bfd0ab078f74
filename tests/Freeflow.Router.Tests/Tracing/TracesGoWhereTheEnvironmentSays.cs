using Freeflow.Actors.Tracing;
using Freeflow.Lab;
using Freeflow.Router.Configuration;
using Freeflow.Router.Tracing;
using Freeflow.Verbs.Abi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using OpenTelemetry.Exporter;

namespace Freeflow.Router.Tests.Tracing;

public sealed class TracesGoWhereTheEnvironmentSays
{
    private static readonly TimeSpan s_bound = WaitFor.Scaled(TimeSpan.FromSeconds(60));

    [Theory]
    [InlineData("http://collector:4317/", "ENDPOINT=http://collector:4317")]
    [InlineData("http://collector:4318/v1/traces", "ENDPOINT=http://collector:4318/", "PROTOCOL=http/protobuf")]
    [InlineData("https://collector/otlp/v1/traces", "ENDPOINT=https://collector/otlp", "PROTOCOL=grpc", "TRACES_PROTOCOL=http/protobuf")]
    [InlineData("http://own:9/here", "ENDPOINT=http://collector:4318", "TRACES_ENDPOINT=http://own:9/here", "PROTOCOL=http/protobuf")]
    public void ToTheCollector(string endpoint, params string[] variables)
    {
        var setting = Read(variables);
        Assert.Equal(new Uri(endpoint), setting?.Endpoint);
        Assert.Equal(variables.Any(variable => variable.EndsWith("http/protobuf")) ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc, setting!.Protocol);
    }

    [Theory]
    [InlineData]
    [InlineData("ENDPOINT=", "TRACES_ENDPOINT= ")]
    [InlineData("PROTOCOL=http/protobuf")]
    [InlineData("ENDPOINT=http://collector:4317", "OTEL_TRACES_EXPORTER=none")]
    [InlineData("ENDPOINT=http://collector:4317", "OTEL_SDK_DISABLED=true")]
    public void Nowhere(params string[] variables) => Assert.Null(Read(variables));

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "ENDPOINT=collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "ENDPOINT=/run/collector")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ENDPOINT=http://collector", "TRACES_ENDPOINT=ftp://collector")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "ENDPOINT=http://collector", "PROTOCOL=http/json")]
    [InlineData("OTEL_TRACES_EXPORTER", "ENDPOINT=http://collector", "OTEL_TRACES_EXPORTER=zipkin")]
    public void WhatIsWrongIsRefusedByName(string name, params string[] variables) =>
        Assert.Contains(name + " = ", Assert.Throws<ConfigurationException>(() => Read(variables)).Message);

    [Fact]
    public async Task OverHttp()
    {
        var came = new TaskCompletionSource<(string? Type, string Body)>();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body, System.Text.Encoding.Latin1);
            var body = await reader.ReadToEndAsync();
            if (context.Request.Path == "/v1/traces")
                came.TrySetResult((context.Request.ContentType, body));
        });
        await collector.StartAsync();
        using (var export = new TraceExport(Read("ENDPOINT=" + collector.Urls.Single(), "PROTOCOL=http/protobuf"), "router1"))
            ControlTrace.Call(UverbsCommand.CreateQp, new CallOrigin("4026531840", "blue", 17)).End(0);
        var (type, body) = await came.Task.WaitAsync(s_bound);
        Assert.Equal("application/x-protobuf", type);
        Assert.Contains("uverbs/create_qp", body);
        Assert.Contains("service.name", body);
        Assert.Contains("router1@", body);
    }

    private static TraceSetting? Read(params string[] variables)
    {
        var set = variables.Select(variable => variable.Split('=', 2))
            .ToDictionary(words => words[0].StartsWith("OTEL", StringComparison.Ordinal) ? words[0] : "OTEL_EXPORTER_OTLP_" + words[0], words => words[1]);
        return TraceSetting.Read(set.GetValueOrDefault);
    }
}
