using Akka.Actor;
using Freeflow.Actors.Roll;
using Freeflow.Lab;

namespace Freeflow.Actors.Tests.Roll;

public sealed class ActorsAreOnTheRoll : ActorTest
{
    private const int Plenty = 100_000;

    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(20);

    private readonly ActorRoll _roll;

    public ActorsAreOnTheRoll() => _roll = ActorRoll.Of(Sys);

    [Fact]
    public void FromTheirStartToTheirEndWithTheirState()
    {
        var actor = Start("one");
        actor.Tell("reading", TestActor);
        ExpectMsg("reading", s_bound);
        Assert.Equal(new ActorSeen("one", "Model", "reading", 0, 0), Assert.Single(_roll.Look(Plenty)));
        Stop(actor);
        Assert.Empty(_roll.Look(Plenty));
    }

    [Fact]
    public void StartedAgainTheyKeepTheirCountAndBeginAnew()
    {
        var actor = Start("one");
        actor.Tell("reading", ActorRefs.NoSender);
        for (var failure = 0; failure < 3; failure++)
            actor.Tell(new InvalidOperationException("a test's"));
        actor.Tell(Ask.Instance, TestActor);
        ExpectMsg("new", s_bound);
        Assert.Equal(new ActorSeen("one", "Model", "new", 0, 3), Assert.Single(_roll.Look(Plenty)));
    }

    [Fact]
    public void OnesThatCannotStartAreNotThere()
    {
        Watch(Sys.ActorOf(Props.Create(() => new Model(startsWell: false)), "broken"));
        ExpectMsg<Terminated>(s_bound);
        Assert.Empty(_roll.Look(Plenty));
    }

    [Fact]
    public void OneOfTheSameNameThatFollowsIsThereOnce()
    {
        Stop(Start("one"));
        Start("one");
        Assert.Equal("one", Assert.Single(_roll.Look(Plenty)).Path);
    }

    [Fact]
    public void WhatWaitsIsCounted()
    {
        var actor = Start("one");
        using var held = new ManualResetEventSlim();
        using var released = new ManualResetEventSlim();
        actor.Tell(new Action(() =>
        {
            held.Set();
            released.Wait(WaitFor.Scaled(s_bound));
        }));
        Assert.True(held.Wait(WaitFor.Scaled(s_bound)));
        for (var message = 0; message < 7; message++)
            actor.Tell("later");
        Assert.Equal(7, Assert.Single(_roll.Look(Plenty)).Mailbox);
        released.Set();
    }

    [Fact]
    public void TenThousandAndNoMoreThanAreWantedAreSeenFromTheTop()
    {
        var parents = Enumerable.Range(0, 10).Select(number => Start($"parent-{number}")).ToList();
        foreach (var parent in parents)
            parent.Tell(1000, TestActor);
        ReceiveN(parents.Count, s_bound);
        AwaitCondition(() => _roll.Count == 10_010, s_bound, s_lookEvery);
        Assert.Equal(10_010, _roll.Look(Plenty).Count);
        var few = _roll.Look(15);
        Assert.Equal(15, few.Count);
        Assert.Equal(10, few.Count(seen => !seen.Path.Contains('/')));
    }

    private IActorRef Start(string name)
    {
        var actor = Sys.ActorOf(Props.Create(() => new Model(startsWell: true)), name);
        actor.Tell(Ask.Instance, TestActor);
        ExpectMsg("new", s_bound);
        return actor;
    }

    private void Stop(IActorRef actor)
    {
        Watch(actor);
        Sys.Stop(actor);
        ExpectTerminated(actor, s_bound);
    }

    private sealed class Ask
    {
        public static Ask Instance { get; } = new();
    }

    private sealed class Model : ListedActor
    {
        private readonly bool _startsWell;

        public Model(bool startsWell)
        {
            _startsWell = startsWell;
            ShownState = "new";
            Receive<string>(state =>
            {
                ShownState = state;
                Sender.Tell(state);
            });
            Receive<int>(children =>
            {
                for (var child = 0; child < children; child++)
                    Context.ActorOf(Props.Create(() => new Model(true)), $"child-{child}");
                Sender.Tell(children);
            });
            Receive<Exception>(failure => throw failure);
            Receive<Action>(work => work());
            Receive<Ask>(_ => Sender.Tell(ShownState));
        }

        protected override void PreStart()
        {
            if (!_startsWell)
                Context.Stop(Self);
        }
    }
}
