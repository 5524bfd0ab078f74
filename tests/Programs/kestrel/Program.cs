using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Server.Kestrel.Core;

// Kestrel answers what it is sent and counts its connections; HttpClient compares:
// kestrel serve PORT (HTTP/1.1, and HTTP/2 on the next port) | kestrel talk HOST PORT 1.1|2 keep|close
const int Requests = 60;
const int AtOnce = 6;

if (args is ["serve", var listen])
    await Serve(int.Parse(listen));
else if (args is ["talk", var host, var port, var version, var habit])
    await Talk(new Uri($"http://{host}:{port}/"), Version.Parse(version.Contains('.') ? version : version + ".0"), habit == "close");
else
    return 2;
return 0;

static async Task Serve(int port)
{
    var connections = 0;
    var builder = WebApplication.CreateSlimBuilder();
    builder.Logging.SetMinimumLevel(LogLevel.Warning);
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        Listen(port, HttpProtocols.Http1);
        Listen(port + 1, HttpProtocols.Http2);

        void Listen(int at, HttpProtocols protocols) => kestrel.ListenAnyIP(at, listener =>
        {
            listener.Protocols = protocols;
            listener.Use(next => connection =>
            {
                Interlocked.Increment(ref connections);
                return next(connection);
            });
        });
    });
    var app = builder.Build();
    app.MapPost("/echo", async (HttpContext context) =>
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        await context.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length));
    });
    app.MapGet("/connections", (HttpContext context) => $"{connections} {context.Connection.RemoteIpAddress!.MapToIPv4()}");
    await app.RunAsync();
}

static async Task Talk(Uri server, Version version, bool close)
{
    using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = AtOnce };
    using var client = new HttpClient(handler)
    {
        BaseAddress = server,
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(30),
    };
    client.DefaultRequestHeaders.ConnectionClose = close ? true : null;
    await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (_, stop) =>
    {
        var body = RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(500_000));
        using var response = await client.PostAsync("/echo", new ByteArrayContent(body), stop);
        var answer = await response.Content.ReadAsByteArrayAsync(stop);
        if (response.StatusCode != HttpStatusCode.OK || response.Version != version || !body.AsSpan().SequenceEqual(answer))
            throw new InvalidDataException("the answer differs");
    });
    Console.WriteLine($"{Requests} right, connections and peer: {await client.GetStringAsync("/connections")}");
}
