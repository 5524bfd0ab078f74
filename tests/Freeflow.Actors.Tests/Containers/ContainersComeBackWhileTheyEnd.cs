using Akka.Actor;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Inspection;
using Freeflow.Lab;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Containers;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Actors.Tests.Containers;

/// <summary>A process of a container that nobody was left of may come while the container's actor gives its addresses back.</summary>
public sealed class ContainersComeBackWhileTheyEnd : ActorTest
{
    private static readonly TimeSpan s_linger = TimeSpan.FromMilliseconds(1);

    private readonly ManualResetEventSlim _end = new();
    private readonly string _place = Path.GetTempFileName();
    private readonly IActorRef _containers;
    private long _nextConnection;

    public ContainersComeBackWhileTheyEnd()
        : base("akka.loglevel = OFF")
    {
        var probe = TestActor;
        var end = _end;
        _containers = Sys.ActorOf(ContainersActor.Props(held => Props.Create(() => new Container(held, probe, end)), s_linger));
    }

    [Fact]
    public void WhoComesThenIsServedByTheNextActor()
    {
        var first = Connect();
        ExpectMsg<Began>();
        ExpectMsg<ShimEvents.Connected>(connected => connected.Connection == first);
        _containers.Tell(new ShimEvents.Closed(first, "it has ended"));
        ExpectMsg<ShimEvents.Closed>();
        ExpectMsg<Ends>();

        var second = Connect();
        var third = Connect();
        _containers.Tell(new ShimEvents.Closed(second, "it has ended"));
        _containers.Tell(new InspectionProtocol.Look(0));
        Assert.Equal(0, ExpectMsg<InspectionProtocol.Seen>().Below);

        _end.Set();
        ExpectMsg<Ended>();
        ExpectMsg<Began>();
        ExpectMsg<ShimEvents.Connected>(connected => connected.Connection == second);
        ExpectMsg<ShimEvents.Connected>(connected => connected.Connection == third);
        ExpectMsg<ShimEvents.Closed>(closed => closed.Connection == second);
        Assert.True(second.Namespace.Handle.IsClosed);
        Assert.False(third.Namespace.Handle.IsClosed);
    }

    protected override void AfterAll()
    {
        _end.Set();
        base.AfterAll();
        File.Delete(_place);
    }

    // Any file stands for the container's namespace, since only the router's own is told from others.
    private ShimConnection Connect()
    {
        var connection = new ShimConnection(null!, _nextConnection++, new SafeFileHandle(-1, false), new NetworkNamespace(File.OpenHandle(_place)), 0, 0);
        _containers.Tell(new ShimEvents.Connected(connection));
        return connection;
    }

    private sealed record Began;

    private sealed record Ends;

    private sealed record Ended;

    private sealed class Container : ReceiveActor
    {
        private readonly NetworkNamespace _namespace;
        private readonly IActorRef _probe;
        private readonly ManualResetEventSlim _end;

        public Container(NetworkNamespace held, IActorRef probe, ManualResetEventSlim end)
        {
            _namespace = held;
            _probe = probe;
            _end = end;
            Receive<InspectionProtocol.Look>(_ => { });
            ReceiveAny(probe.Forward);
        }

        protected override void PreStart() => _probe.Tell(new Began());

        protected override void PostStop()
        {
            _probe.Tell(new Ends());
            _end.Wait(WaitFor.Scaled(TimeSpan.FromSeconds(10)));
            _namespace.Dispose();
            _probe.Tell(new Ended());
        }
    }
}
