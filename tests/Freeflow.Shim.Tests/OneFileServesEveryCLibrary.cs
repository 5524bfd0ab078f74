using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.Shim.Tests;

/// <summary>The very file that glibc's programs load works in musl's: it is loaded, and what it does not serve is as without it.</summary>
public sealed partial class OneFileServesEveryCLibrary : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private static readonly string[] s_exercises = ["files", "descriptors", "memory", "processes", "threads", "sockets", "errors"];

    /// <summary>A /freeflow without a router.</summary>
    private readonly DirectoryInfo _freeflow = Directory.CreateTempSubdirectory("freeflow");

    public static TheoryData<CLibrary, string> Exercises
    {
        get
        {
            var all = new TheoryData<CLibrary, string>();
            foreach (var exercise in s_exercises)
            {
                all.Add(CLibrary.Glibc, exercise);
                all.Add(CLibrary.Musl, exercise);
            }

            return all;
        }
    }

    public void Dispose() => _freeflow.Delete(recursive: true);

    [Theory]
    [InlineData(CLibrary.Glibc)]
    [InlineData(CLibrary.Musl)]
    public void ItIsLoaded(CLibrary library)
    {
        // musl goes on without a word when a preload can't be loaded, so the library has to say something itself.
        var result = Shim.Run(_freeflow.FullName, Shim.Program("ordinary-calls", library), "errors");
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Matches("(?m)^freeflow: no RDMA device: ", result.Errors);
    }

    [Theory]
    [MemberData(nameof(Exercises))]
    public void OrdinaryCallsDoTheSame(CLibrary library, string exercise)
    {
        var program = Shim.Program("ordinary-calls", library);
        var without = Shell.Run(s_bound, null, program, exercise);
        Assert.True(without is { ExitCode: 0, Errors: "" }, without.Everything);
        Assert.Equal(without, Shell.Run(s_bound, Preloaded, program, exercise));
    }

    [Theory]
    [InlineData(CLibrary.Glibc)]
    [InlineData(CLibrary.Musl)]
    public void TcpConnectionsCarryTheSame(CLibrary library) => Assert.Equal(Exchange(library, null), Exchange(library, Preloaded));

    private Dictionary<string, string> Preloaded => new()
    {
        ["LD_PRELOAD"] = Shim.Library,
        ["FREEFLOW_DIR"] = _freeflow.FullName,
        ["VNET_PREFIX"] = LabLayout.OverlayPrefix,
    };

    /// <summary>What a client and a server on this machine say of one exchange, ports aside.</summary>
    private static string Exchange(CLibrary library, Dictionary<string, string>? environment)
    {
        var program = Shim.Program("tcp-exchange", library);
        var port = FreePort();
        using var server = BackgroundProgram.Start(environment, [program, "serve", $"{port}", "1"]);
        WaitFor.That("the server listens", s_bound, () => server.HasExited || IsListening(port));
        var client = Shell.Run(s_bound, environment, program, "send", "127.0.0.1", $"{port}", "1000000");
        var served = server.Wait(s_bound);
        Assert.True(client.ExitCode == 0 && served.ExitCode == 0, $"client: {client.Everything}\nserver: {served.Everything}");
        return Ports().Replace(client.Everything + served.Everything, ":PORT");
    }

    private static bool IsListening(int port) => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    [GeneratedRegex(@":\d+")]
    private static partial Regex Ports();
}
