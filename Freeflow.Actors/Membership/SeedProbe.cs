using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Freeflow.Actors.ClusterTransport;

namespace Freeflow.Actors.Membership;

/// <summary>
/// A second actor system of this router's, by which it speaks with routers that have given its first one up: that is not listened
/// to there until it is started anew, and doesn't listen either. Silent, since most of those that it looks for are dead.
/// </summary>
internal sealed class SeedProbe : IDisposable
{
    private static readonly Config s_config = ConfigurationFactory.ParseString("""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          loggers = ["Akka.Event.DefaultLogger"]
          log-dead-letters = off
          actor.provider = remote
          remote.router-tcp.port = 0
        }
        """);

    private readonly ActorSystem _system;
    private readonly IActorRef _relay;

    /// <summary>Opens a port, so it takes a moment.</summary>
    /// <param name="of">The router's own system.</param>
    /// <param name="answers">Who is told of the answers.</param>
    /// <param name="undialed">Who is told of those that can't be asked (<see cref="DialFailure"/>); null: nobody.</param>
    public SeedProbe(ActorSystem of, IActorRef answers, IActorRef? undialed = null)
    {
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(s_config.WithFallback(of.Settings.Config)));
        if (of.Settings.Setup.Get<TransportSetup>() is { HasValue: true, Value: var security })
            setup = setup.And(new TransportSetup(security.Certificates, security.Allowed, undialed is null ? null : failure => undialed.Tell(failure)));
        _system = ActorSystem.Create(of.Name, setup);
        _relay = _system.ActorOf(Props.Create(() => new Relay(answers)));
    }

    public void Tell(Address seed, ReunionProtocol.Census census) =>
        _system.ActorSelection($"{seed}/user/router/{ReunionActor.Name}").Tell(census, _relay);

    public void Dispose() => _ = _system.Terminate();

    private sealed class Relay : ReceiveActor
    {
        public Relay(IActorRef answers) => Receive<ReunionProtocol.Census>(answer => answers.Tell(answer));
    }
}
