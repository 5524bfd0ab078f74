using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>A program that listens by way of rdma_cm in one container, and another that connects to it from a second one.</summary>
public sealed class CmPair(LabFixture lab, Placement placement)
{
    public string ServerNode { get; } = LabFixture.Server(placement);

    public string ClientNode { get; } = LabFixture.Client(placement);

    public string ServerAddress => LabFixture.AddressOf(ServerNode);

    /// <summary>Ids that listen on the server's host.</summary>
    public int Listeners => lab.Status(ServerNode[..2]).GetProperty("RdmaCm").GetProperty("Listeners").GetInt32();

    /// <summary>Starts a server and waits until it listens.</summary>
    public BackgroundProgram Listen(params string[] command)
    {
        var before = Listeners;
        var server = lab.Hosts.Start(ServerNode, command);
        LabFixture.Eventually(
            $"{command[0]} listening in {ServerNode}", TimeSpan.FromSeconds(10), () => Listeners > before || server.HasExited, () => $"{Listeners} listeners");
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
            $"{placement}\nclient {string.Join(' ', asking)} in {ClientNode}: {client.Everything}\nserver {string.Join(' ', serving)} in {ServerNode}: {served.Everything}");
        return (client.Output, served.Output);
    }

    /// <summary>Runs a client to its end.</summary>
    public ProgramResult Ask(TimeSpan bound, params string[] asking) =>
        lab.Hosts.Exec(ClientNode, bound, [.. asking.Select(word => word.Replace("ADDRESS", ServerAddress))]);
}
