using System.Net;
using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>The router that a socket leads to is the one that gave it: it knows by the port whose connection has come.</summary>
[Trait("Tier", "Loop")]
public sealed class ConnectionsWithinAHostNeedNoWord : IDisposable
{
    private const int Port = 80;
    private const string Server = "10.244.1.12";

    private readonly HandoverSite _site = new(options => options with { UnannouncedTimeout = TimeSpan.FromMilliseconds(300) });
    private readonly HandoverApplication _application;
    private readonly HandoverServer _server;
    private readonly uint _route;

    public ConnectionsWithinAHostNeedNoWord()
    {
        _application = new HandoverApplication(_site, _site.AddContainer(HandoverPair.ClientAddress));
        _server = new HandoverServer(_site, _site.AddContainer(Server), Port).Wait();
        _route = _application.Resolve(Server, Port);
        _application.Await(_route, PlainReason.None);
    }

    public void Dispose()
    {
        _application.Dispose();
        _server.Dispose();
        _site.Dispose();
    }

    [Fact]
    public void TheyComeAsTheyAre()
    {
        using var lot = _application.Want(_route);
        Assert.Equal(NoteFlags.Here, lot.Message.Flags);
        lot.Only.Connect();
        using var accepted = _server.Accept();
        Assert.Equal(lot.Only.Ends.Reversed, accepted.Ends);
        Assert.Equal(accepted.Ends, accepted.Socket.Ends);
        Assert.Equal((1, 1, 0), (_site.Statistics.Announced, _site.Statistics.Delivered, _application.Process.Container.SocketsOut));
        Assert.Single(_site.Flows);
    }

    [Fact]
    public void AWordChangesNothing()
    {
        using var lot = _application.Want(_route);
        _application.AnnounceAndWait(_route, lot.Only.Number);
        lot.Only.Connect();
        using var accepted = _server.Accept();
        Assert.Equal(lot.Only.Ends.Reversed, accepted.Ends);
        Assert.Equal(1, _site.Statistics.Announced);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void APortThatWasGivenBackIsNobodys(bool isSaid)
    {
        var lot = _application.Want(_route);
        var (number, port) = (lot.Only.Number, lot.Only.Ends.LocalPort);
        lot.Dispose();
        if (isSaid)
            _application.Tell(new ShimNote { Type = NoteType.Drop, Route = HandoverApplication.NoRoute, Socket = number });
        else
            _application.Dispose();
        WaitFor.That("the socket to be forgotten", () => _application.Process.Container.SocketsOut == 0);
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        stranger.Bind(new IPEndPoint(_site.Address.ToIPAddress(), port));
        stranger.Connect(new IPEndPoint(_site.Address.ToIPAddress(), HandoverSite.Port));
        WaitFor.That("a connection that nobody has announced", () => _site.Statistics.Unannounced == 1);
        Assert.Null(_server.TryAccept());
    }

    [Fact]
    public void TheNextSocketAtAPortIsNotForgottenForTheLast()
    {
        using var narrow = new HandoverSite(options => options with { LocalPorts = (30100, 30100) });
        var server = narrow.AddContainer(Server);
        using var application = new HandoverApplication(narrow, narrow.AddContainer(HandoverPair.ClientAddress));
        using var listener = new HandoverServer(narrow, server, Port).Wait();
        var route = application.Resolve(Server, Port);
        application.Await(route, PlainReason.None);
        var first = application.Want(route);
        var number = first.Only.Number;
        first.Dispose();
        using var second = application.Want(route);
        application.Tell(new ShimNote { Type = NoteType.Drop, Route = HandoverApplication.NoRoute, Socket = number });
        WaitFor.That("the first to be forgotten", () => application.Process.Container.SocketsOut == 1);
        second.Only.Connect();
        using var accepted = listener.Accept();
        Assert.Equal(second.Only.Ends.Reversed, accepted.Ends);
    }

    [Fact]
    public void WhatIsDroppedTwiceOrWasNeverGivenIsNothing()
    {
        foreach (var number in (uint[])[0, 1, 1, uint.MaxValue])
            _application.Tell(new ShimNote { Type = NoteType.Drop, Route = HandoverApplication.NoRoute, Socket = number });
        using var lot = _application.Want(_route);
        lot.Only.Connect();
        using var accepted = _server.Accept();
        Assert.Equal(0, _site.Statistics.Misused);
    }
}
