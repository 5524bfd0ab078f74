using Freeflow.Actors.Tracing;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Freeflow.Router.Tracing;

/// <summary>Sends the spans of control operations to a collector, in the background: who is not there, or is slow, costs spans and holds up nothing.</summary>
internal sealed class TraceExport : IDisposable
{
    private static readonly TimeSpan s_sendRestWithin = TimeSpan.FromSeconds(2);

    private readonly TracerProvider? _provider;

    /// <param name="setting">Where to; null: nobody listens to spans, and there are none.</param>
    /// <param name="router">This router's name.</param>
    public TraceExport(TraceSetting? setting, string router)
    {
        Endpoint = setting?.Endpoint;
        if (setting is null)
            return;
        _provider = Sdk.CreateTracerProviderBuilder()
            // What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes last, and holds.
            .ConfigureResource(resource => resource.AddService("freeflow", serviceInstanceId: $"{router}@{Environment.MachineName}").AddEnvironmentVariableDetector())
            .AddSource(ControlTrace.SourceName)
            .AddOtlpExporter(exporter => (exporter.Endpoint, exporter.Protocol) = (setting.Endpoint, setting.Protocol))
            .Build();
    }

    /// <summary>Null: spans go nowhere.</summary>
    public Uri? Endpoint { get; }

    public void Dispose()
    {
        _provider?.Shutdown((int)s_sendRestWithin.TotalMilliseconds);
        _provider?.Dispose();
    }
}
