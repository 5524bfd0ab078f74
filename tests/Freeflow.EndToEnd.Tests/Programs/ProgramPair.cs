using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>A program as server in one container and as client in another, as perftest and rdma-core's examples are used.</summary>
public sealed class ProgramPair(LabFixture lab, string serverNode, string clientNode)
{
    public ProgramPair(LabFixture lab, Placement placement)
        : this(lab, LabFixture.Server(placement), LabFixture.Client(placement))
    {
    }

    /// <summary>perftest's and the examples' port for exchanging addresses.</summary>
    public const int Port = 18515;

    /// <summary>The client has all capabilities. It is without TCP mode, in which its whole container would be distrusted for it.</summary>
    public bool PrivilegedClient { get; init; }

    /// <summary>Runs both to their end, within a bound; fails the test unless both exit with 0. Returns what the client said.</summary>
    public string Run(TimeSpan bound, params string[] command) => RunOn(Port, bound, command);

    /// <summary>The same for programs that meet on another port.</summary>
    public string RunOn(int port, TimeSpan bound, params string[] command)
    {
        using var server = lab.StartListening(serverNode, port, command);
        string[] asking = [.. command, LabFixture.AddressOf(serverNode)];
        var client = PrivilegedClient
            ? lab.Hosts.ExecPrivileged(clientNode, bound, ["env", "-u", "VNET_PREFIX", .. asking])
            : lab.Hosts.Exec(clientNode, bound, asking);
        var served = server.Wait(TimeSpan.FromSeconds(10));
        Assert.True(client.ExitCode == 0 && served.ExitCode == 0,
            $"{string.Join(' ', command)}\nclient in {clientNode}: {client.Everything}\nserver in {serverNode}: {served.Everything}");
        return client.Output;
    }
}
