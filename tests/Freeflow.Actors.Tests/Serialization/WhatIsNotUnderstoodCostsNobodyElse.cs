using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Akka.Configuration;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Serialization;
using Freeflow.Lab;

namespace Freeflow.Actors.Tests.Serialization;

/// <summary>Bytes that this version has no message for, as a router of another one may send them.</summary>
public sealed class WhatIsNotUnderstoodCostsNobodyElse : ActorTest
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private static readonly Config s_config = ConfigurationFactory.ParseString("""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          actor {
            provider = remote
            serializers.freeflow = "Freeflow.Actors.Serialization.HyperionMessageSerializer, Freeflow.Actors"
            serialization-bindings { "Freeflow.Actors.Serialization.IClusterMessage, Freeflow.Actors" = freeflow }
          }
          remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
        }
        """);

    private static readonly Config s_foreignConfig = ConfigurationFactory.ParseString($$"""
        akka.actor {
          serializers.foreign = "{{typeof(ForeignSerializer).FullName}}, Freeflow.Actors.Tests"
          serialization-bindings { "{{typeof(ForeignMessage).FullName}}, Freeflow.Actors.Tests" = foreign }
        }
        """).WithFallback(s_config);

    private static readonly IClusterMessage[] s_messages =
    [
        new PeerProtocol.Offer("akka.tcp://freeflow@192.168.50.1:4480#7", [1, 2, 3]),
        new PeerProtocol.Accept("akka.tcp://freeflow@192.168.50.1:4480#7", 4481),
        new CommunicationProtocol.Found(1, 2, 3, [4]),
        new DirectoryPage("akka.tcp://freeflow@192.168.50.1:4480#7", 3, 2, new byte[64]),
    ];

    private readonly ActorSystem _other = ActorSystem.Create("other", s_foreignConfig);

    public WhatIsNotUnderstoodCostsNobodyElse()
        : base(s_config)
    {
    }

    protected override void AfterAll()
    {
        _other.Terminate().Wait(WaitFor.Scaled(s_bound));
        base.AfterAll();
    }

    [Fact]
    public void EveryMessageCutShortIsOneThatIsNotUnderstood()
    {
        var serializer = new HyperionMessageSerializer((ExtendedActorSystem)Sys);
        foreach (var message in s_messages)
        {
            var whole = serializer.ToBinary(message);
            for (var length = 0; length < whole.Length; length++)
                Assert.Throws<SerializationException>(() => serializer.FromBinary(whole[..length], message.GetType()));
        }
    }

    [Fact]
    public void SoIsOneWithMoreToIt()
    {
        var serializer = new HyperionMessageSerializer((ExtendedActorSystem)Sys);
        foreach (var message in s_messages)
            Assert.Throws<SerializationException>(() => serializer.FromBinary([.. serializer.ToBinary(message), 0], message.GetType()));
    }

    [Fact]
    public void GarbageIsToo()
    {
        var serializer = new HyperionMessageSerializer((ExtendedActorSystem)Sys);
        var random = new Random(7);
        for (var round = 0; round < 500; round++)
        {
            var bytes = new byte[random.Next(1, 64)];
            random.NextBytes(bytes);
            Assert.Throws<SerializationException>(() => serializer.FromBinary(bytes, typeof(object)));
        }
    }

    [Fact]
    public void TheConnectionStaysAndWhatComesAfterItIsHeard()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(Akka.Remote.DisassociatedEvent));
        var here = _other.ActorSelection($"{((ExtendedActorSystem)Sys).Provider.DefaultAddress}{TestActor.Path.ToStringWithoutAddress()}");
        here.Tell(s_messages[1]);
        Assert.Equal(s_messages[1], ExpectMsg<PeerProtocol.Accept>(s_bound));
        foreach (var text in new[] { "", "garbage", "\xfftype that nobody knows", new string('x', 1000) })
            here.Tell(new ForeignMessage(Encoding.Latin1.GetBytes(text)));
        here.Tell(s_messages[1]);
        Assert.Equal(s_messages[1], ExpectMsg<PeerProtocol.Accept>(s_bound));
    }

    /// <summary>Goes out as these bytes, in the name of the routers' own serializer.</summary>
    public sealed record ForeignMessage(byte[] Bytes);

    public sealed class ForeignSerializer(ExtendedActorSystem system) : Akka.Serialization.Serializer(system)
    {
        public override int Identifier => 4480;

        public override bool IncludeManifest => false;

        public override byte[] ToBinary(object obj) => obj is ForeignMessage message ? message.Bytes : new HyperionMessageSerializer(system).ToBinary(obj);

        public override object FromBinary(byte[] bytes, Type type) => throw new NotSupportedException();
    }
}
