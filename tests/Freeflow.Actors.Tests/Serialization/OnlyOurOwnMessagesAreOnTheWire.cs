using System.Runtime.Serialization;
using Akka.Actor;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Serialization;
using Hyperion;

namespace Freeflow.Actors.Tests.Serialization;

[Trait("Tier", "Loop")]
public sealed class OnlyOurOwnMessagesAreOnTheWire : ActorTest
{
    private HyperionMessageSerializer Serializer => field ??= new((ExtendedActorSystem)Sys);

    [Fact]
    public void EachKnownMessageComesBackAsItWent()
    {
        var offer = new PeerProtocol.Offer("akka.tcp://freeflow@192.168.50.1:4480#7", [1, 2, 3]);
        var back = Assert.IsType<PeerProtocol.Offer>(Serializer.FromBinary(Serializer.ToBinary(offer), typeof(PeerProtocol.Offer)));
        Assert.Equal(offer.Node, back.Node);
        Assert.Equal(offer.Key, back.Key);
        var accept = new PeerProtocol.Accept("node", 4481);
        Assert.Equal(accept, Serializer.FromBinary(Serializer.ToBinary(accept), typeof(PeerProtocol.Accept)));
    }

    [Fact]
    public void EveryMessageBetweenRoutersIsKnown()
    {
        var messages = typeof(IClusterMessage).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(IClusterMessage)) && !type.IsInterface);
        Assert.Equal(messages.ToHashSet(), HyperionMessageSerializer.KnownTypes.ToHashSet());
    }

    [Fact]
    public void NothingElseGoesOut() => Assert.Throws<SerializationException>(() => Serializer.ToBinary(new List<string> { "x" }));

    [Fact]
    public void NothingElseComesIn()
    {
        using var stream = new MemoryStream();
        new Hyperion.Serializer().Serialize(new FileInfoLike { Path = "/etc/passwd" }, stream);
        Assert.ThrowsAny<Exception>(() => Serializer.FromBinary(stream.ToArray(), typeof(object)));
    }

    [Fact]
    public void GarbageIsAnErrorAndNothingElse()
    {
        var random = new Random(5);
        for (var i = 0; i < 200; i++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            Assert.ThrowsAny<Exception>(() => Serializer.FromBinary(bytes, typeof(object)));
        }
    }

    public sealed class FileInfoLike
    {
        public string Path { get; set; } = "";
    }
}
