using Freeflow.Router.Configuration;
using OpenTelemetry.Exporter;

namespace Freeflow.Router.Tracing;

/// <summary>Where spans go, by OpenTelemetry's own environment variables (docs/traces.md).</summary>
/// <param name="Endpoint">The collector's, with the path of http/protobuf.</param>
/// <param name="Protocol">How it is spoken to.</param>
internal sealed record TraceSetting(Uri Endpoint, OtlpExportProtocol Protocol)
{
    private const string Prefix = "OTEL_EXPORTER_OTLP_";

    /// <summary>
    /// Null: nowhere. Throws <see cref="ConfigurationException"/> for what OpenTelemetry would pass over in silence, and send to its default address instead.
    /// </summary>
    public static TraceSetting? Read(Func<string, string?> environment)
    {
        string? Value(string name) => environment(name) is { } text && text.Trim() is { Length: > 0 } value ? value : null;

        if (string.Equals(Value("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase))
            return null;
        const string exporter = "OTEL_TRACES_EXPORTER";
        if (Value(exporter) is { } which && which != "otlp")
            return which == "none" ? null : throw new ConfigurationException($"{exporter} = \"{which}\": it has to be otlp or none");
        var own = Value(Prefix + "TRACES_ENDPOINT");
        var (name, endpoint) = own is null ? (Prefix + "ENDPOINT", Value(Prefix + "ENDPOINT")) : (Prefix + "TRACES_ENDPOINT", own);
        if (endpoint is null)
            return null;
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
            throw new ConfigurationException($"{name} = \"{endpoint}\": it has to be an address like http://collector:4317");
        var protocolName = Value(Prefix + "TRACES_PROTOCOL") is null ? Prefix + "PROTOCOL" : Prefix + "TRACES_PROTOCOL";
        var protocol = Value(protocolName) switch
        {
            null or "grpc" => OtlpExportProtocol.Grpc,
            "http/protobuf" => OtlpExportProtocol.HttpProtobuf,
            { } other => throw new ConfigurationException($"{protocolName} = \"{other}\": it has to be grpc or http/protobuf"),
        };
        // The specification: an address for all signals is one that their paths are appended to.
        if (own is null && protocol == OtlpExportProtocol.HttpProtobuf)
            uri = new Uri(uri.AbsoluteUri.TrimEnd('/') + "/v1/traces");
        return new TraceSetting(uri, protocol);
    }
}
