using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>A server program in one container, and its client programs, run one after the other in another.</summary>
public sealed class ServerProgram : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>A listener becomes known to the other routers a moment after its program first waits for connections.</summary>
    private static readonly TimeSpan s_known = TimeSpan.FromMilliseconds(500);

    private readonly LabFixture _lab;
    private readonly BackgroundProgram _server;

    public ServerProgram(LabFixture lab, Placement placement, int port, params IEnumerable<string> command)
    {
        _lab = lab;
        Node = LabFixture.Server(placement);
        ClientNode = LabFixture.Client(placement);
        Acceleration = new Acceleration(lab, ClientNode, Node);
        _server = lab.StartListening(Node, port, command);
        Thread.Sleep(s_known);
    }

    public string Node { get; }

    public string ClientNode { get; }

    public string Address => LabFixture.AddressOf(Node);

    public string ClientAddress => LabFixture.AddressOf(ClientNode);

    /// <summary>What became of the connections since before the server's start.</summary>
    public Acceleration Acceleration { get; }

    /// <summary>Runs a client to its end, which must be a good one, and returns what it said.</summary>
    public string Run(params IEnumerable<string> command)
    {
        var words = command.ToList();
        var client = _lab.Hosts.Exec(ClientNode, s_bound, words);
        if (client.ExitCode != 0 || _server.HasExited)
            Assert.Fail($"{string.Join(' ', words)} in {ClientNode}: {client.Everything}\nthe server in {Node}, {(_server.HasExited ? "which ended by itself" : "ended here")}: {End().Everything}");
        return client.Output;
    }

    public void Dispose() => _server.Dispose();

    private ProgramResult End()
    {
        _server.Signal("TERM");
        return _server.Wait(TimeSpan.FromSeconds(5));
    }
}
