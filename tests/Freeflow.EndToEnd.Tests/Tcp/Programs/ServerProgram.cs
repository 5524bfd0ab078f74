using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>A server program in one container, and its client programs, run one after the other in another.</summary>
public sealed class ServerProgram : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>The library says then why a connection is plain.</summary>
    private static readonly string[] s_talkative = ["env", "FREEFLOW_LOG=debug"];

    private readonly LabFixture _lab;
    private readonly BackgroundProgram _server;
    private readonly Acceleration _acceleration;
    private readonly List<string> _heard = [];

    public ServerProgram(LabFixture lab, Placement placement, int port, params IEnumerable<string> command)
    {
        _lab = lab;
        Node = LabFixture.Server(placement);
        ClientNode = LabFixture.Client(placement);
        _acceleration = new Acceleration(lab, ClientNode, Node);
        _server = lab.StartListening(Node, port, [.. s_talkative, .. command]);
        try
        {
            _acceleration.AwaitListener(port);
        }
        catch (Xunit.Sdk.XunitException failure)
        {
            Assert.Fail($"{failure.Message}\nthe server in {Node}: {End().Everything}");
        }
    }

    public string Node { get; }

    public string ClientNode { get; }

    public string Address => LabFixture.AddressOf(Node);

    public string ClientAddress => LabFixture.AddressOf(ClientNode);

    /// <summary>Runs a client to its end, which must be a good one, and returns what it said.</summary>
    public string Run(params IEnumerable<string> command)
    {
        var words = command.ToList();
        var client = _lab.Hosts.Exec(ClientNode, s_bound, [.. s_talkative, .. words]);
        if (client.ExitCode != 0 || _server.HasExited)
            Assert.Fail($"{string.Join(' ', words)} in {ClientNode}: {client.Everything}\nthe server in {Node}, {(_server.HasExited ? "which ended by itself" : "ended here")}: {End().Everything}");
        _heard.AddRange(LibraryIn(client));
        return client.Output;
    }

    /// <summary>
    /// Connections of the clients that went plain because the host had no port left: those that it has closed itself rest for a
    /// minute, and a crowd of short ones can use up all that there are.
    /// </summary>
    public int WithoutAPort => _heard.Count(line => line.EndsWith("the host has no port left", StringComparison.Ordinal));

    /// <summary>At least that many connections of the clients must have been accelerated.</summary>
    public void MustHaveAccelerated(long connections) =>
        _acceleration.MustHaveTaken(connections, () => $"clients: {Last(_heard)}\nserver: {Last(LibraryIn(End()))}");

    /// <summary>See <see cref="Acceleration.MustHaveSparedTheOverlay"/>.</summary>
    public void MustHaveSparedTheOverlay(long bytes) => _acceleration.MustHaveSparedTheOverlay(bytes);

    public void Dispose() => _server.Dispose();

    private ProgramResult End()
    {
        _server.Signal("TERM");
        return _server.Wait(TimeSpan.FromSeconds(5));
    }

    private static IEnumerable<string> LibraryIn(ProgramResult result) =>
        result.Errors.Split('\n').Where(line => line.StartsWith("freeflow: ", StringComparison.Ordinal));

    private static string Last(IEnumerable<string> lines) => string.Join("\n  ", lines.TakeLast(20).Prepend("the library's last words:"));
}
