using System.Collections.Concurrent;
using System.Net;
using Akka.Actor;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Peers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Links;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Tests.Peers;

public sealed class KeysEndWithTheirMember : ActorTest
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(20);

    [Fact]
    public void HoweverManyOffersAreOnTheirWay()
    {
        var book = new AddressBook();
        using var engine = new VerbsEngine(new EngineOptions { RealTimePriority = 0 }, new EngineNews(), book);
        using var handover = new HandoverLoop(
            new HandoverOptions { HostAddress = null, RealTimePriority = 0 }, book, AccessPolicy.Open, new HandoverNews());
        var keys = new ConcurrentDictionary<string, LinkCredential>();
        var own = new LinkEndpoint("b", IPAddress.Loopback, 1, Encrypt: false, keys);
        var peer = Sys.ActorOf(PeerActor.Props(engine, handover, own, "a", Address.Parse("akka.tcp://test@127.0.0.1:1"), 0));
        peer.Tell(new PeerProtocol.Offer("a", new byte[32]));
        AwaitCondition(() => keys.ContainsKey("a"), s_bound, s_lookEvery);
        Watch(peer);
        for (var offer = 0; offer < 1000; offer++)
        {
            peer.Tell(new PeerProtocol.Offer("a", new byte[32]));
            if (offer == 500)
                Sys.Stop(peer);
        }

        ExpectTerminated(peer, s_bound);
        Assert.Empty(keys);
    }
}
