using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Freeflow.Actors.ClusterTransport;
using Freeflow.Lab;

namespace Freeflow.Actors.Tests.ClusterTransport;

/// <summary>An actor system over the routers' transport, with an actor that answers.</summary>
internal sealed class TransportNode : IDisposable
{
    // Before it is scaled.
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>A connection over loopback takes milliseconds; the rest is for a machine with other work.</summary>
    public static readonly TimeSpan Bound = WaitFor.Scaled(s_bound);

    private static readonly Config s_config = ConfigurationFactory.ParseString("""
        akka {
          loglevel = INFO
          stdout-loglevel = OFF
          loggers = ["Akka.Event.DefaultLogger"]
          actor.provider = remote
          remote {
            retry-gate-closed-for = 100ms
            enabled-transports = ["akka.remote.router-tcp"]
            router-tcp {
              transport-class = "Freeflow.Actors.ClusterTransport.RouterTransport, Freeflow.Actors"
              applied-adapters = []
              transport-protocol = tcp
              hostname = "127.0.0.1"
              port = 0
              maximum-frame-size = 128000b
              backlog = 512
              connection-timeout = 15s
            }
          }
        }
        """);

    private readonly ConcurrentQueue<string> _log = new();
    private int _heard;

    public TransportNode(TransportSetup setup, int port = 0)
    {
        var config = ConfigurationFactory.ParseString($"akka.remote.router-tcp.port = {port}").WithFallback(s_config);
        System = ActorSystem.Create("test", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config), setup));
        System.EventStream.Subscribe(System.ActorOf(Props.Create(() => new Listener(_log))), typeof(LogEvent));
        System.ActorOf(Props.Create(() => new Echo(() => Interlocked.Increment(ref _heard))), "echo");
    }

    public ActorSystem System { get; }

    public int Heard => Volatile.Read(ref _heard);

    public Address Address => ((ExtendedActorSystem)System).Provider.DefaultAddress;

    public string Log => string.Join('\n', _log);

    public void Dispose() => System.Terminate().Wait(Bound);

    /// <summary>Null when there is no answer.</summary>
    public async Task<string?> AskAsync(TransportNode other, string text, TimeSpan bound)
    {
        try
        {
            return await System.ActorSelection($"{other.Address}/user/echo").Ask<string>(text, bound);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }

    /// <summary>Asks again until there is an answer: what is said while there is no connection may be lost.</summary>
    public Task MustReachAsync(TransportNode other) => WaitFor.ThatAsync(
        "an answer", s_bound, async () => await AskAsync(other, "hello", WaitFor.Scaled(TimeSpan.FromSeconds(2))) == "hello",
        () => $"here:\n{Log}\nthere:\n{other.Log}");

    public Task AwaitLogAsync(string text) => WaitFor.ThatAsync($"\"{text}\" in the log", s_bound, () => Log.Contains(text, StringComparison.Ordinal), () => Log);

    private sealed class Echo : ReceiveActor
    {
        public Echo(Action heard) => ReceiveAny(message =>
        {
            heard();
            Sender.Tell(message);
        });
    }

    private sealed class Listener : ReceiveActor
    {
        public Listener(ConcurrentQueue<string> log) => Receive<LogEvent>(entry => log.Enqueue(entry.Message.ToString()!));
    }
}
