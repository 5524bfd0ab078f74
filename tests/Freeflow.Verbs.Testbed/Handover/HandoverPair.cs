using Freeflow.Verbs.Handover;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>Two hosts that are linked, with a container each.</summary>
public sealed class HandoverPair : IDisposable
{
    public const string ClientAddress = "10.244.1.11";
    public const string ServerAddress = "10.244.2.11";

    private HandoverPair(HandoverSite client, HandoverSite server, (int OfServer, int OfClient) numbers)
    {
        (ClientSite, ServerSite) = (client, server);
        (ServerNumber, ClientNumber) = numbers;
        Client = client.AddContainer(ClientAddress);
        Server = server.AddContainer(ServerAddress);
        client.Learn(ServerAddress, ServerNumber);
        server.Learn(ClientAddress, ClientNumber);
        Application = new HandoverApplication(client, Client);
    }

    public HandoverSite ClientSite { get; }

    public HandoverSite ServerSite { get; }

    /// <summary>What the client's host calls the server's, and the other way round.</summary>
    public int ServerNumber { get; }

    public int ClientNumber { get; }

    public HandoverContainer Client { get; }

    public HandoverContainer Server { get; }

    /// <summary>The client's process.</summary>
    public HandoverApplication Application { get; }

    public static async Task<HandoverPair> StartAsync(
        Func<HandoverOptions, HandoverOptions>? client = null, Func<HandoverOptions, HandoverOptions>? server = null, bool encrypt = false)
    {
        var (clientSite, serverSite) = (new HandoverSite(client), new HandoverSite(server));
        return new HandoverPair(clientSite, serverSite, await HandoverSite.LinkAsync(clientSite, serverSite, encrypt));
    }

    /// <summary>A listener of the server's that waits for connections.</summary>
    public HandoverServer Listen(int port, string? address = null, bool isIpv6 = false, int backlog = 128) =>
        new HandoverServer(ServerSite, Server, port, address, isIpv6, backlog).Wait();

    /// <summary>The client's route to a port of the server's, once it is accelerated.</summary>
    public uint Route(int port)
    {
        var route = Application.Resolve(ServerAddress, port);
        Application.Await(route, PlainReason.None);
        return route;
    }

    public void Dispose()
    {
        Application.Dispose();
        ClientSite.Dispose();
        ServerSite.Dispose();
    }
}
