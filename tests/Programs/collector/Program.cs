using System.Collections.Concurrent;
using System.Net;
using Freeflow.EndToEnd.Tests.Collector;
using Microsoft.AspNetCore.Server.Kestrel.Core;

// Takes spans as OTLP has them, over http/protobuf on PORT and over gRPC on the next one; GET /spans on PORT shows them as JSON:
// collector ADDRESS PORT
if (args is not [var address, var first])
    return 2;

var spans = new ConcurrentQueue<ReceivedSpan>();
var port = int.Parse(first);
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Listen(IPAddress.Parse(address), port, listener => listener.Protocols = HttpProtocols.Http1);
    kestrel.Listen(IPAddress.Parse(address), port + 1, listener => listener.Protocols = HttpProtocols.Http2);
});
var app = builder.Build();
app.MapGet("/spans", () => spans.ToArray());
app.MapPost("/v1/traces", async (HttpContext context) =>
{
    Take(await Body(context), "http/protobuf");
    context.Response.ContentType = "application/x-protobuf";
});
app.MapPost("/opentelemetry.proto.collector.trace.v1.TraceService/Export", async (HttpContext context) =>
{
    const int frameHead = 5;
    Take((await Body(context))[frameHead..], "grpc");
    context.Response.ContentType = "application/grpc";
    await context.Response.Body.WriteAsync(new byte[frameHead]);
    context.Response.AppendTrailer("grpc-status", "0");
});
await app.RunAsync();
return 0;

void Take(byte[] request, string protocol)
{
    foreach (var span in TraceRequest.Read(request, protocol))
        spans.Enqueue(span);
}

static async Task<byte[]> Body(HttpContext context)
{
    using var bytes = new MemoryStream();
    await context.Request.Body.CopyToAsync(bytes);
    return bytes.ToArray();
}
