using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>A program that listens by way of rdma_cm in one container, and another that connects to it from a second one.</summary>
public sealed class CmPair(LabFixture lab, string serverNode, string clientNode)
{
    public CmPair(LabFixture lab, Placement placement)
        : this(lab, LabFixture.Server(placement), LabFixture.Client(placement))
    {
    }

    public string ServerNode { get; } = serverNode;

    public string ClientNode { get; } = clientNode;

    public string ServerAddress => LabFixture.AddressOf(ServerNode);

    /// <summary>Ids that listen on the server's host.</summary>
    public int Listeners => lab.Status(ServerNode[..2]).GetProperty("RdmaCm").GetProperty("Listeners").GetInt32();

    /// <summary>Starts a server and waits until it listens.</summary>
    public BackgroundProgram Listen(params string[] command)
    {
        // A router hears of a program's end a moment after the program has ended.
        WaitFor.That($"the end of what has listened in {ServerNode} before", () => Listeners == 0, () => $"{Listeners} listeners");
        var server = lab.Hosts.Start(ServerNode, command);
        WaitFor.That($"{command[0]} listening in {ServerNode}", () => Listeners > 0 || server.HasExited, () => $"{Listeners} listeners");
        if (server.HasExited)
            Assert.Fail($"{string.Join(' ', command)} in {ServerNode} ended: {server.Wait(TimeSpan.FromSeconds(1)).Everything}");
        return server;
    }

    /// <summary>Runs both to their ends, within a bound; "ADDRESS" in the client's words is the server's. Fails unless both exit with 0.</summary>
    public (string Client, string Server) Run(TimeSpan bound, string[] serving, string[] asking)
    {
        using var server = Listen(serving);
        var client = Ask(bound, asking);
        var served = server.Wait(TimeSpan.FromSeconds(10));
        Assert.True(client.ExitCode == 0 && served.ExitCode == 0,
            $"client {string.Join(' ', asking)} in {ClientNode}: {client.Everything}\nserver {string.Join(' ', serving)} in {ServerNode}: {served.Everything}");
        return (client.Output, served.Output);
    }

    /// <summary>
    /// perftest with -R listens twice, first for its own talk and then for its QPs, and its client asks for the second when it
    /// has heard of the first one's end: on a busy machine that is too early now and then, and it gives up.
    /// </summary>
    public void RunPerftest(TimeSpan bound, params string[] command)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var server = Listen(command);
            var client = Ask(bound, [.. command, "ADDRESS"]);
            if (attempt < 4 && (client.Everything.Contains("RDMA_CM_EVENT_REJECTED; error: 8") || client.Everything.Contains("RDMA_CM_EVENT_UNREACHABLE; error: 1.\n")))
                continue;
            Assert.True(client.ExitCode == 0, client.Everything);
            var served = server.Wait(TimeSpan.FromSeconds(10));
            Assert.True(served.ExitCode == 0, served.Everything);
            return;
        }
    }

    /// <summary>Runs a client to its end.</summary>
    public ProgramResult Ask(TimeSpan bound, params string[] asking) =>
        lab.Hosts.Exec(ClientNode, bound, [.. asking.Select(word => word.Replace("ADDRESS", ServerAddress))]);
}
