using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>
/// A scene of one of the TCP programs (tests/Programs/tcp-*.c), played by a server in one container and a client in another:
/// once without the preload and once with it. Nothing that the two programs see may differ, and with it the connections
/// must have been accelerated.
/// </summary>
public sealed class ScenePair(LabFixture lab, Placement placement)
{
    /// <summary>What a listener takes, generously, until the other routers know of it.</summary>
    private const int SettleMilliseconds = 400;

    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>env's words for the client with the preload, such as a prefix of its own.</summary>
    public IReadOnlyList<string> ClientSettings { get; init; } = [];

    /// <summary>The same for the server.</summary>
    public IReadOnlyList<string> ServerSettings { get; init; } = [];

    /// <summary>The client has all capabilities, with which its whole container gets no host sockets: it is one of its own.</summary>
    public bool WithPrivilegedClient { get; init; }

    private string ServerNode => LabFixture.Server(placement);

    private string ClientNode => WithPrivilegedClient ? "h1c3" : LabFixture.Client(placement);

    /// <param name="scene">Program and scene.</param>
    /// <param name="must">Connections that have to be accelerated.</param>
    /// <param name="may">Further ones that may be or not.</param>
    public void MustLookAlike(string scene, int must, int may = 0)
    {
        var plain = Play(scene, preload: false);
        using var known = new KnownContainers(lab, ServerNode, ClientNode);
        var before = Count();
        var accelerated = Play(scene, preload: true);
        // The counters are judged last: a difference in behaviour is what a failure has to tell of.
        Transcripts.MustBeAlike($"{scene}, {placement}", plain, accelerated);

        var (client, server) = before;
        WaitFor.That(
            $"{scene}, {placement}: {must}{(may > 0 ? $" to {must + may}" : "")} connections accelerated", TimeSpan.FromSeconds(15),
            () =>
            {
                var now = Count();
                (client, server) = (now.Client - before.Client, now.Server - before.Server);
                return Within(client.Announced) && Within(server.Delivered);
            },
            () => $"at the client's router {client}; at the server's {server}\n{accelerated.Errors}");

        bool Within(long count) => count >= must && count <= must + may;
    }

    private (TcpCounters Client, TcpCounters Server) Count() => (TcpCounters.Of(lab, ClientNode[..2]), TcpCounters.Of(lab, ServerNode[..2]));

    private Transcripts Play(string scene, bool preload)
    {
        using var server = Start(ServerNode, scene, "server", preload, privileged: false, ServerSettings);
        using var client = Start(ClientNode, scene, "client", preload, WithPrivilegedClient, ClientSettings);
        var (asked, served) = (client.Wait(s_bound), server.Wait(TimeSpan.FromSeconds(20)));
        Assert.True(asked.ExitCode == 0 && served.ExitCode == 0,
            $"{scene}, {placement}, {(preload ? "with" : "without")} the preload\nclient in {ClientNode}: {asked.Everything}\nserver in {ServerNode}: {served.Everything}");
        return new Transcripts(asked.Output, served.Output, asked.Errors + served.Errors);
    }

    private BackgroundProgram Start(string node, string scene, string role, bool preload, bool privileged, IReadOnlyList<string> settings)
    {
        var words = scene.Split(' ');
        return BackgroundProgram.Start(
            new Dictionary<string, string> { ["FREEFLOW_LAB_DIR"] = lab.Hosts.Paths.State },
            [
                Path.Combine(lab.Hosts.Paths.Repository, "lab"), "exec",
                .. preload ? (string[])[] : ["--plain"],
                .. privileged ? (string[])["--privileged"] : [],
                node, "--",
                .. preload ? (string[])["env", .. settings, "FREEFLOW_LOG=debug"] : [],
                LabFixture.TestProgram(words[0]), words[1], role,
                LabFixture.AddressOf(ServerNode), LabFixture.AddressOf(ClientNode), (preload ? SettleMilliseconds : 0).ToString(),
            ]);
    }
}
