using System.Net;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Events;
using Freeflow.Actors.Policy;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Tests.Policy;

/// <summary>A file with an address in it, which belongs to a tenant then; and that of a container.</summary>
public sealed class LabelFilesAreFollowed : ActorTest
{
    private const string Container = "10.244.1.2";
    private const string Other = "10.244.1.1";
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(20);
    private static readonly PolicyTenant s_shop = PolicyTenant.Named("shop") with { Labels = ["namespace=shop"] };

    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("freeflow-labels");
    private readonly ContainerShare _container = new(new ContainerQuota(new ContainerLimits()), new HandoverContainer("1", Tenant.Default));
    private readonly TestProbe _events;

    public LabelFilesAreFollowed()
        : base("akka.loglevel = INFO") => _events = CreateTestProbe();

    private string Labels => Path.Combine(_directory.FullName, "labels");

    private string Policy => Path.Combine(_directory.FullName, "policy.conf");

    protected override void AfterAll()
    {
        base.AfterAll();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void AndWhoseAContainerBecomesIsTold()
    {
        Start(Other);
        Assert.Equal("default", _container.Tenant);
        Write(Labels, Container);
        var told = Reported(EventKind.ContainerTenant);
        Assert.Equal(("1", "shop", "default"), (told.Facts["container"], told.Facts["tenant"], told.Facts["before"]));
        Assert.Equal("shop", _container.Tenant);
    }

    [Fact]
    public void AWrongOneIsRefusedAndWhatHeldStays()
    {
        var actor = Start(Container);
        Write(Labels, "nonsense");
        Assert.Equal($"Policy refused: {Labels}: line 1, column 1: \"nonsense\" is no address; what held before stays in force", Reported(EventKind.PolicyRefused).Text);
        AwaitAssert(() => Assert.Contains("nonsense", Report(actor).Labels.Problem), s_bound, s_lookEvery);
        Assert.Null(Report(actor).Problem);
        Assert.Equal("shop", _container.Tenant);
        Write(Labels, Other);
        AwaitCondition(() => _container.Tenant == "default", s_bound, s_lookEvery);
        AwaitAssert(() => Assert.Null(Report(actor).Labels.Problem), s_bound, s_lookEvery);
    }

    [Fact]
    public void OneThatIsGoneOrNoFileLeavesWhatHeld()
    {
        Start(Container);
        File.Delete(Labels);
        Assert.Equal(Labels, Reported(EventKind.PolicyFileGone).Facts["source"]);
        System.IO.Directory.CreateDirectory(Labels);
        Assert.Equal(Labels, Reported(EventKind.PolicyNotRead).Facts["source"]);
        Assert.Equal("shop", _container.Tenant);
    }

    [Fact]
    public void OneThatNobodyWritesHoldsUpNoPolicy()
    {
        var actor = Start(Container, readWithin: TimeSpan.FromMilliseconds(200));
        File.Delete(Labels);
        using (var make = System.Diagnostics.Process.Start("mkfifo", Labels))
            make.WaitForExit();
        AwaitAssert(() => Assert.Contains("it has not been read within 0.2 s", Report(actor).Labels.Problem), s_bound, s_lookEvery);
        Write(Policy, "no tenants");
        AwaitCondition(() => _container.Tenant == "default", s_bound, s_lookEvery);
        File.WriteAllText(Labels, "");
    }

    [Fact]
    public void APolicyThatWaitsForLabelsHoldsWhenThereAreSome()
    {
        var actor = Start(null);
        Write(Policy, "tenants by labels");
        Reported(EventKind.PolicyRefused);
        Write(Labels, Container);
        AwaitCondition(() => _container.Tenant == "shop", s_bound, s_lookEvery);
        AwaitAssert(() => Assert.Null(Report(actor).Problem), s_bound, s_lookEvery);
    }

    private RouterEvent Reported(EventKind kind) => (RouterEvent)_events.FishForMessage(message => message is RouterEvent happened && happened.Kind == kind, s_bound);

    /// <param name="labels">Null: there is neither a file of labels nor a policy.</param>
    /// <param name="readWithin">Null: as usual.</param>
    private IActorRef Start(string? labels, TimeSpan? readWithin = null)
    {
        Sys.EventStream.Subscribe<RouterEvent>(_events);
        if (labels is not null)
        {
            Write(Labels, labels);
            Write(Policy, "tenants by labels");
        }

        var known = labels is null ? null : ReadLabels(labels);
        var inForce = new PolicyInForce(labels is null ? AccessPolicy.Open : Read("tenants by labels", known));
        inForce.Settle(_container, [Gid.FromAddress(IPAddress.Parse(Container))]);
        var setting = new PolicySetting(inForce, Policy, labels is null ? null : "tenants by labels", Read, s_lookEvery)
        {
            LabelFile = Labels, LabelText = labels, Labels = known, ReadLabels = ReadLabels,
        };
        var actor = Sys.ActorOf(PolicyActor.Props(setting, readWithin));
        Report(actor);
        return actor;
    }

    private PolicyReport Report(IActorRef actor)
    {
        actor.Tell(PolicyProtocol.Show.Instance, TestActor);
        return ExpectMsg<PolicyReport>(s_bound);
    }

    private static ContainerLabels ReadLabels(string text) => IPAddress.TryParse(text, out var address)
        ? new ContainerLabels(new Dictionary<Gid, IReadOnlyList<string>> { [Gid.FromAddress(address)] = ["namespace=shop"] })
        : throw new PolicyException(1, 1, $"\"{text}\" is no address");

    private static AccessPolicy Read(string text, ContainerLabels? labels) =>
        text == "no tenants" ? AccessPolicy.Open
        : labels is null ? throw new PolicyException(1, 1, "nobody says who has which labels")
        : new AccessPolicy([s_shop], [], [], PolicyLimits.None, labels);

    private static void Write(string path, string text)
    {
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }
}
