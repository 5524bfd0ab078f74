using Akka.Actor;
using Freeflow.Actors.Inspection;

namespace Freeflow.Actors.Tests.Inspection;

/// <summary>A made tree of containers, connections and QPs, of which some may be silent.</summary>
public sealed class QuestionsAreAnswered : ActorTest
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    [Fact]
    public void TenThousandQueuePairsInOrder()
    {
        var report = QueuePairs(Inspector(containers: 10, queuePairs: 1000), limit: 100_000);
        Assert.Equal((10_000, 0), (report.Total, report.Silent));
        Assert.Equal(Enumerable.Range(0, 10_000).Select(number => (uint)number), report.QueuePairs.Select(queuePair => queuePair.Number));
        Assert.Equal(10, report.Containers.Count);
    }

    [Fact]
    public void NoMoreThanWereAskedFor()
    {
        var report = QueuePairs(Inspector(containers: 10, queuePairs: 1000), limit: 7);
        Assert.Equal((10_000, 0), (report.Total, report.Silent));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], report.QueuePairs.Select(queuePair => queuePair.Number));
    }

    [Theory]
    [InlineData(100_000)]
    [InlineData(7)]
    public void MemoryRegionsInTheSameWay(int limit)
    {
        Inspector(containers: 10, queuePairs: 1000).Tell(new InspectionProtocol.MemoryRegions(limit), TestActor);
        var report = ExpectMsg<MemoryRegionsReport>(s_bound);
        Assert.Equal((10_000, 0), (report.Total, report.Silent));
        Assert.Equal(Enumerable.Range(0, Math.Min(limit, 10_000)).Select(number => (uint)number), report.MemoryRegions.Select(region => region.Key));
        Assert.Equal(report.MemoryRegions.Select(region => region.Container).Distinct().Order(), report.Containers.Select(container => container.Id).Order());
    }

    [Fact]
    public void ContainersWithWhatTheirProcessesHoldTogether()
    {
        var report = Containers(Inspector(containers: 3, queuePairs: 5), limit: 2);
        Assert.Equal((2, 3, 0), (report.Containers.Count, report.Total, report.Silent));
        Assert.Equal(["10.0.0.0", "10.0.0.1"], report.Containers.Select(container => container.Container.Addresses[0].Address));
        Assert.All(report.Containers, container => Assert.Equal((5, 4096L), (container.Objects.QueuePairs, container.Objects.RegisteredBytes)));
    }

    [Fact]
    public void WithoutContainers()
    {
        Assert.Empty(Containers(Inspector(0, 0), limit: 10).Containers);
        Assert.Empty(QueuePairs(Inspector(0, 0), limit: 10).QueuePairs);
    }

    [Fact]
    public void WhoIsSilentIsCountedAndTheRestIsTold()
    {
        var inspector = Inspector(containers: 3, queuePairs: 5, isSilent: number => number is 0 or 7, TimeSpan.FromMilliseconds(500));
        var report = QueuePairs(inspector, limit: 100);
        Assert.Equal((13, 2), (report.QueuePairs.Count, report.Silent));
    }

    [Fact]
    public void ThoughNobodyAnswers()
    {
        var inspector = Sys.ActorOf(InspectorActor.Props(CreateTestProbe(), TimeSpan.FromMilliseconds(200)));
        Assert.Equal((0, 1), (QueuePairs(inspector, limit: 10).Total, QueuePairs(inspector, limit: 10).Silent));
    }

    private QueuePairsReport QueuePairs(IActorRef inspector, int limit)
    {
        inspector.Tell(new InspectionProtocol.QueuePairs(limit), TestActor);
        return ExpectMsg<QueuePairsReport>(s_bound);
    }

    private ContainersReport Containers(IActorRef inspector, int limit)
    {
        inspector.Tell(new InspectionProtocol.Containers(limit), TestActor);
        return ExpectMsg<ContainersReport>(s_bound);
    }

    private IActorRef Inspector(int containers, int queuePairs, Func<int, bool>? isSilent = null, TimeSpan? within = null) =>
        Sys.ActorOf(InspectorActor.Props(Sys.ActorOf(Props.Create(() => new Tree(containers, queuePairs, isSilent ?? (_ => false)))), within ?? s_bound));

    /// <summary>The containers' actor.</summary>
    private sealed class Tree : ReceiveActor
    {
        public Tree(int containers, int queuePairs, Func<int, bool> isSilent)
        {
            var children = Enumerable.Range(0, containers).Select(container => Context.ActorOf(Props.Create(() => new Branch(container, queuePairs, isSilent)))).ToList();
            Receive<InspectionProtocol.Look>(look =>
            {
                Sender.Tell(new InspectionProtocol.Seen(containers));
                children.ForEach(child => child.Forward(look));
            });
        }
    }

    /// <summary>A container and its one connection.</summary>
    private sealed class Branch : ReceiveActor
    {
        public Branch(int container, int queuePairs, Func<int, bool> isSilent)
        {
            var children = Enumerable.Range(container * queuePairs, queuePairs).Select(number => Context.ActorOf(Props.Create(() => new Leaf(number, isSilent)))).ToList();
            Receive<InspectionProtocol.Look>(look =>
            {
                var (id, objects) = ($"{container}", ObjectCounts.None with { QueuePairs = queuePairs, RegisteredBytes = 4096 });
                Sender.Tell(new InspectionProtocol.Seen(1, new ContainerSeen(id, "default", [new AddressSeen($"10.0.0.{container}", "eth0", true)], false, 0)));
                var wanted = Math.Max(look.QueuePairs, look.MemoryRegions);
                var asked = Math.Min(wanted, children.Count);
                Sender.Tell(new InspectionProtocol.Seen(asked, new ConnectionSeen(id, 1, "verbs", objects), wanted > 0 ? children.Count - asked : 0));
                object question = look.QueuePairs > 0 ? new InspectionProtocol.LookAtQueuePair(id, 1) : new InspectionProtocol.LookAtMemoryRegion(id, 1);
                children.Take(asked).ToList().ForEach(child => child.Forward(question));
            });
        }
    }

    private sealed class Leaf : ReceiveActor
    {
        public Leaf(int number, Func<int, bool> isSilent)
        {
            Receive<InspectionProtocol.LookAtMemoryRegion>(look =>
                Sender.Tell(new InspectionProtocol.Seen(0, new MemoryRegionSeen(look.Container, look.Pid, (uint)number, "0x0", 4096, ""))));
            Receive<InspectionProtocol.LookAtQueuePair>(look => AnswerQueuePair(number, look, isSilent));
        }

        private void AnswerQueuePair(int number, InspectionProtocol.LookAtQueuePair look, Func<int, bool> isSilent)
        {
            if (!isSilent(number))
                Sender.Tell(new InspectionProtocol.Seen(0, new QueuePairSeen(look.Container, look.Pid, (uint)number, "RC", "RTS", null, null, null, null, 0, 0, 0)));
        }
    }
}
