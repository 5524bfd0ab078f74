using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tracing;

/// <summary>A lab beside the shared one whose routers send their traces to a collector on the first host, by gRPC.</summary>
public sealed class TracingLab : LabFixture
{
    public const string Collection = "tracing lab";

    /// <summary>The collector's for HTTP; the next one is for gRPC.</summary>
    public const int Port = 4400;

    public TracingLab()
        : base("tracing") => Hosts.Up(new()
        {
            Hosts = 2,
            Containers = 2,
            Environment = [$"OTEL_EXPORTER_OTLP_ENDPOINT=http://{LabLayout.UnderlayAddress(1)}:{Port + 1}", "OTEL_BSP_SCHEDULE_DELAY=200"],
        });
}

[CollectionDefinition(TracingLab.Collection)]
public sealed class TracingCollection : ICollectionFixture<TracingLab>;
