namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>Debian's Python, with its event loop and with its blocking sockets.</summary>
public sealed class PythonRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Python = "/usr/bin/python3";
    private const int Port = 8000;

    /// <summary>http.server asks for its own name as it starts, and the lab has no name server: one attempt is enough.</summary>
    public static string[] HttpServer(int port, string directory) =>
        ["env", "RES_OPTIONS=attempts:1 timeout:1", Python, "-m", "http.server", $"{port}", "--directory", directory];

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WithAsyncioStreams(Placement placement)
    {
        const int Connections = 20;
        var program = LabFixture.TestProgram("asyncio-echo.py");
        using var server = new ServerProgram(lab, placement, Port, Python, program, "serve", $"{Port}");
        Assert.Equal(
            $"400 right on {Connections} connections from {server.ClientAddress}\n",
            server.Run(Python, program, "talk", server.Address, $"{Port}", $"{Connections}"));
        server.MustHaveAccelerated(Connections);
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WithHttpServerAndUrllib(Placement placement)
    {
        const int Files = 30;
        using var scratch = new ScratchDirectory();
        var directory = scratch.MakeDirectory("www");
        for (var file = 0; file < Files; file++)
            scratch.WriteNoise($"www/{file}", file * file * 3_000);
        using var server = new ServerProgram(lab, placement, Port, HttpServer(Port, directory));
        Assert.Equal($"{Files} right\n", server.Run(
            Python, LabFixture.TestProgram("urllib-compare.py"), $"http://{server.Address}:{Port}", directory));
        server.MustHaveAccelerated(Files);
    }
}
