using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Freeflow.Actors.Events;
using Freeflow.Actors.Policy;
using Freeflow.Lab;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Tests.Policy;

/// <summary>A file with a number in it, which stands for a policy with as many rules.</summary>
public sealed class PolicyFilesAreFollowed : ActorTest
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(20);

    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("freeflow-policy");
    private readonly PolicyInForce _inForce = new(Of(1));
    private readonly List<int> _heard = [];
    private readonly TestProbe _events;

    public PolicyFilesAreFollowed()
        : base("akka.loglevel = INFO")
    {
        _inForce.Changed += policy => _heard.Add(policy.Rules.Count);
        _events = CreateTestProbe();
    }

    private string File => Path.Combine(_directory.FullName, "policy.conf");

    private int InForce => _inForce.Current.Rules.Count;

    protected override void AfterAll()
    {
        base.AfterAll();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void WhenTheyAreRenamedOver()
    {
        Start("1");
        Rename("2");
        AwaitCondition(() => InForce == 2, s_bound, s_lookEvery);
        Rename("3");
        AwaitCondition(() => InForce == 3, s_bound, s_lookEvery);
        Assert.Equal([2, 3], _heard);
    }

    [Fact]
    public void WhenTheyAreWrittenInPlace()
    {
        Start("1");
        System.IO.File.WriteAllText(File, "2");
        AwaitCondition(() => InForce == 2, s_bound, s_lookEvery);
    }

    [Fact]
    public async Task WhenALinkOnTheWayIsSwapped()
    {
        // As the kubelet does with a ConfigMap.
        Version("a", "1");
        System.IO.File.CreateSymbolicLink(Path.Combine(_directory.FullName, "..data"), "a");
        System.IO.File.CreateSymbolicLink(File, "..data/policy.conf");
        Start(null);
        Version("b", "2");
        using (var swap = System.Diagnostics.Process.Start("sh", ["-c", "cd \"$0\" && ln -s b ..data_tmp && mv -T ..data_tmp ..data", _directory.FullName]))
            await swap.WaitForExitAsync();
        AwaitCondition(() => InForce == 2, s_bound, s_lookEvery);
    }

    [Fact]
    public void WhenTheyAppear()
    {
        Start(null);
        Rename("4");
        AwaitCondition(() => InForce == 4, s_bound, s_lookEvery);
    }

    [Fact]
    public void AWrongOneIsRefusedOnceAndWhatHeldStays()
    {
        var actor = Start("1");
        Rename("nonsense");
        Assert.Equal($"Policy refused: {File}: line 1, column 1: \"nonsense\" is no number; what held before stays in force", Reported(EventKind.PolicyRefused).Text);
        AwaitAssert(() => Assert.Contains("\"nonsense\" is no number", Report(actor).Problem), s_bound, s_lookEvery);
        AwaitLooks();
        // Reported more than once, it would come before this.
        Report(actor);
        _events.Tell("nothing more");
        _events.ExpectMsg("nothing more", s_bound);
        Assert.Equal(1, InForce);
        Assert.Empty(_heard);
        Rename("2");
        AwaitCondition(() => InForce == 2, s_bound, s_lookEvery);
        var taken = Reported(EventKind.PolicyInForce);
        Assert.Equal((File, "0", "2"), (taken.Facts["source"], taken.Facts["tenants"], taken.Facts["rules"]));
        AwaitAssert(() => Assert.Null(Report(actor).Problem), s_bound, s_lookEvery);
    }

    [Fact]
    public void OneThatIsGoneLeavesWhatHeld()
    {
        Start("1");
        System.IO.File.Delete(File);
        Assert.Equal(File, Reported(EventKind.PolicyFileGone).Facts["source"]);
        Assert.Equal(1, InForce);
        Rename("2");
        AwaitCondition(() => InForce == 2, s_bound, s_lookEvery);
    }

    [Fact]
    public void OneThatIsTooLongOrNoFileIsNotRead()
    {
        var actor = Start("1");
        Rename(new string(' ', PolicyFile.MaximumBytes) + "2");
        Assert.Contains("has more than", Reported(EventKind.PolicyNotRead).Text);
        AwaitAssert(() => Assert.NotNull(Report(actor).Problem), s_bound, s_lookEvery);
        System.IO.File.Delete(File);
        System.IO.Directory.CreateDirectory(File);
        Reported(EventKind.PolicyNotRead);
        Assert.Equal(1, InForce);
    }

    [Fact]
    public void OneThatNobodyWritesIsSaidNotToBeRead()
    {
        var actor = Start("1", readWithin: TimeSpan.FromMilliseconds(200));
        System.IO.File.Delete(File);
        using (var make = System.Diagnostics.Process.Start("mkfifo", File))
            make.WaitForExit();
        AwaitAssert(() => Assert.Contains("it has not been read within 0.2 s", Report(actor).Problem), s_bound, s_lookEvery);
        Assert.Equal(1, InForce);
        System.IO.File.WriteAllText(File, "");
        Rename("2");
        AwaitCondition(() => InForce == 2, s_bound, s_lookEvery);
        AwaitAssert(() => Assert.Null(Report(actor).Problem), s_bound, s_lookEvery);
    }

    [Fact]
    public void AnOperatorsHoldsUntilTheFileSaysSomethingElse()
    {
        var actor = Start("1");
        actor.Tell(new PolicyProtocol.Apply("7", "/root/seven"), TestActor);
        var now = ExpectMsg<PolicyProtocol.Applied>(s_bound).Now;
        Assert.Equal((7, "/root/seven"), (now.Policy.Rules.Count, now.Source));
        actor.Tell(new PolicyProtocol.Apply("x", "/root/x"), TestActor);
        Assert.Contains("\"x\" is no number", ExpectMsg<PolicyProtocol.Refused>(s_bound).Problem);
        AwaitLooks();
        Assert.Equal((7, "/root/seven"), (InForce, Report(actor).Source));
        Rename("2");
        AwaitCondition(() => InForce == 2, s_bound, s_lookEvery);
        Assert.Equal(File, Report(actor).Source);
    }

    private RouterEvent Reported(EventKind kind) => (RouterEvent)_events.FishForMessage(message => message is RouterEvent happened && happened.Kind == kind, s_bound);

    private IActorRef Start(string? text, TimeSpan? readWithin = null)
    {
        Sys.EventStream.Subscribe<RouterEvent>(_events);
        if (text is not null)
            Rename(text);
        var setting = new PolicySetting(_inForce, File, PolicyFile.Read(File), (read, _) => Read(read), s_lookEvery)
        {
            LabelFile = Path.Combine(_directory.FullName, "labels"),
            ReadLabels = _ => throw new PolicyException(1, 1, "there is no file of labels"),
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

    /// <summary>Waits until the file was read a few times more. A look begins when the one before was handled.</summary>
    private void AwaitLooks()
    {
        var reads = 0;
        using var watcher = new FileSystemWatcher(_directory.FullName, Path.GetFileName(File)) { NotifyFilter = NotifyFilters.LastAccess };
        watcher.Changed += (_, _) => Interlocked.Increment(ref reads);
        watcher.EnableRaisingEvents = true;
        WaitFor.That("looks at the file", () => Volatile.Read(ref reads) >= 5, () => $"{reads}");
    }

    private static AccessPolicy Read(string text) => int.TryParse(text, out var rules) ? Of(rules) : throw new PolicyException(1, 1, $"\"{text}\" is no number");

    private static AccessPolicy Of(int rules) => new(
        [],
        [.. Enumerable.Range(1, rules).Select(number => new PolicyRule($"{number}", [PolicySubject.Anybody], [PolicySubject.Anybody], [], PolicyMode.Both))],
        [],
        PolicyLimits.None);

    private void Rename(string text)
    {
        System.IO.File.WriteAllText(File + ".new", text);
        System.IO.File.Move(File + ".new", File, overwrite: true);
    }

    private void Version(string name, string text)
    {
        _directory.CreateSubdirectory(name);
        System.IO.File.WriteAllText(Path.Combine(_directory.FullName, name, "policy.conf"), text);
    }
}
