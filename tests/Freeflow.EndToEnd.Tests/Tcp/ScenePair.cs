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

    private string ServerNode => LabFixture.Server(placement);

    private string ClientNode => LabFixture.Client(placement);

    /// <param name="scene">Program and scene.</param>
    /// <param name="must">Connections that have to be accelerated.</param>
    /// <param name="may">Further ones that may be or not.</param>
    /// <param name="settings">env's words for the programs with the preload, such as a prefix of their own.</param>
    public void MustLookAlike(string scene, int must, int may = 0, params IReadOnlyList<string> settings)
    {
        var plain = Play(scene, preload: false, []);
        // The counters are looked at last, so that a difference in behaviour is what a failure tells of first.
        var before = Record.Exception(() => Count()) is null ? Count() : ((TcpCounters Client, TcpCounters Server)?)null;
        var accelerated = Play(scene, preload: true, settings);
        Transcripts.MustBeAlike($"{scene}, {placement}", plain, accelerated);

        var from = before ?? Count();
        (TcpCounters Client, TcpCounters Server) Since()
        {
            var now = Count();
            return (now.Client - from.Client, now.Server - from.Server);
        }

        var since = Since();
        LabFixture.Eventually(
            $"{scene}, {placement}: {must}{(may > 0 ? $" to {must + may}" : "")} connections accelerated", TimeSpan.FromSeconds(3),
            () => Within((since = Since()).Client.Announced) && Within(since.Server.Delivered),
            () => $"at the client's router {since.Client}; at the server's {since.Server}\n{accelerated.Errors}");

        bool Within(long count) => count >= must && count <= must + may;
    }

    private (TcpCounters Client, TcpCounters Server) Count() => (TcpCounters.Of(lab, ClientNode[..2]), TcpCounters.Of(lab, ServerNode[..2]));

    private Transcripts Play(string scene, bool preload, IReadOnlyList<string> settings)
    {
        using var server = Start(ServerNode, scene, "server", preload, settings);
        using var client = Start(ClientNode, scene, "client", preload, settings);
        var (asked, served) = (client.Wait(s_bound), server.Wait(TimeSpan.FromSeconds(20)));
        Assert.True(asked.ExitCode == 0 && served.ExitCode == 0,
            $"{scene}, {placement}, {(preload ? "with" : "without")} the preload\nclient in {ClientNode}: {asked.Everything}\nserver in {ServerNode}: {served.Everything}");
        return new Transcripts(asked.Output, served.Output, asked.Errors + served.Errors);
    }

    private BackgroundProgram Start(string node, string scene, string role, bool preload, IReadOnlyList<string> settings)
    {
        var words = scene.Split(' ');
        var settle = preload ? SettleMilliseconds : 0;
        string[] command =
        [
            LabFixture.TestProgram(words[0]), words[1], role, LabFixture.AddressOf(ServerNode), LabFixture.AddressOf(ClientNode), settle.ToString(),
        ];
        return preload
            ? lab.Hosts.Start(node, ["env", "FREEFLOW_LOG=debug", .. settings, .. command])
            : BackgroundProgram.Start(
                new Dictionary<string, string> { ["FREEFLOW_LAB_DIR"] = lab.Hosts.Paths.State },
                [Path.Combine(lab.Hosts.Paths.Repository, "lab"), "exec", "--plain", node, "--", .. command]);
    }
}
