using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests;

/// <summary>
/// Two containers that have nothing to do with what a test breaks, and whose traffic is checked byte by byte while it
/// does: h1c2 serves h2c2, or within the second host where the first one's router is to die.
/// </summary>
public sealed class Bystanders : IDisposable
{
    private const int Port = 18600;

    private readonly BackgroundProgram _server;
    private readonly BackgroundProgram _client;

    public Bystanders(LabFixture lab, string serverNode = "h1c2", string clientNode = "h2c2")
    {
        string[] command = [LabFixture.TestProgram("verbs-check"), "-q", "2", "-w"];
        _server = lab.StartListening(serverNode, Port, command);
        _client = lab.Hosts.Start(clientNode, [.. command, LabFixture.AddressOf(serverNode)]);
    }

    /// <summary>Ends the traffic; fails unless all of it was right.</summary>
    public void MustBeWell()
    {
        if (_client.HasExited)
            Assert.Fail($"the bystanders' traffic has ended by itself: {_client.Wait(TimeSpan.Zero).Everything}\n{_server.Wait(TimeSpan.FromSeconds(1)).Everything}");
        var client = _client.Wait(TimeSpan.FromSeconds(20));
        var server = _server.Wait(TimeSpan.FromSeconds(10));
        Assert.True(client.ExitCode == 0 && server.ExitCode == 0, $"client: {client.Everything}\nserver: {server.Everything}");
        Assert.Matches(@"^verified [1-9]\d* operations", client.Output);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }
}
