using System.Text.Json;
using Freeflow.EndToEnd.Tests.Fixtures;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests;

/// <summary>
/// Two hosts with four containers each, one of the labs that all tests share; the third container of a host is for tests that
/// break one. Before each test the lab is made whole.
/// </summary>
public class LabFixture : IDisposable
{
    /// <summary>
    /// How long to wait for a router to forget a container: it stays known for half a minute after its last program, in case that the next
    /// one comes (container-linger; less in the lab).
    /// </summary>
    public static readonly TimeSpan UntilForgotten = TimeSpan.FromSeconds(60);

    /// <summary>How long a server program may take to start: runtimes among them compile themselves first.</summary>
    private static readonly TimeSpan s_startsWithin = TimeSpan.FromSeconds(30);

    private readonly SharedLab? _shared;
    private readonly Action _leave;

    public LabFixture()
        : this(LabPool.Usual)
    {
    }

    private protected LabFixture(LabPool pool)
    {
        var shared = pool.Take();
        (_shared, _leave) = (shared, () => pool.Return(shared));
        Hosts = shared.Hosts;
    }

    /// <summary>A lab beside the shared ones, with nothing in it yet.</summary>
    /// <param name="name">Its name among the labs of this run.</param>
    protected LabFixture(string name)
    {
        Hosts = new LabHosts(TestRunDirectory.PathsOf(name));
        _leave = Hosts.Down;
        Hosts.Down();
    }

    public LabHosts Hosts { get; }

    public static string Server(Placement placement) => placement == Placement.SameHost ? "h1c1" : "h2c1";

    public static string Client(Placement placement) => placement == Placement.SameHost ? "h1c2" : "h1c1";

    public static string AddressOf(string container) => LabLayout.OverlayAddress(container[1] - '0', container[3] - '0');

    /// <summary>One of the verbs programs of tests/Programs.</summary>
    public static string TestProgram(string name) => Path.Combine(AppContext.BaseDirectory, "programs", name);

    public virtual void Dispose()
    {
        _leave();
        GC.SuppressFinalize(this);
    }

    /// <summary>What the router of a host tells its operator.</summary>
    public JsonElement Status(string host)
    {
        if (Hosts.Routers.Ask(host) is not { } status)
            throw new Xunit.Sdk.XunitException($"no router answers in {host}");
        return status;
    }

    public string RouterLog(string host) => File.ReadAllText(Hosts.Paths.RouterLog(host));

    /// <summary>Starts a router of the shared lab's that was stopped or killed, and waits until both routers are one cluster.</summary>
    public void StartRouter(string host)
    {
        Hosts.Routers.Start(host, inHostPidNamespace: false, hosts: LabPool.HostCount);
        Hosts.Routers.AwaitCluster(LabPool.HostCount, LabRouters.ClusterWithin);
    }

    /// <summary>Starts a server program and waits until it listens on its TCP port.</summary>
    public BackgroundProgram StartListening(string node, int port, params IEnumerable<string> command)
    {
        var words = command.ToList();
        WaitFor.That($"port {port} free in {node}", s_startsWithin, () => !Hosts.ListensOverTcp(node, port));
        var program = Hosts.Start(node, words);
        WaitFor.That($"{words[0]} listening on {port} in {node}", s_startsWithin, () => Hosts.ListensOverTcp(node, port) || program.HasExited);
        if (program.HasExited)
            Assert.Fail($"{string.Join(' ', words)} in {node} ended: {program.Wait(TimeSpan.FromSeconds(1)).Everything}");
        return program;
    }

    /// <summary>Mends what the test before has left broken in a shared lab.</summary>
    internal void MakeWhole(string test) => _shared?.MakeWhole(test);

    /// <summary>Begins to record what the routers say, in case that the test fails.</summary>
    internal FailureRecord Record() => new(Hosts, Hosts.Current is { } options ? Enumerable.Range(1, options.Hosts).Select(LabLayout.Host) : []);

    /// <summary>Whether there is a UDP socket on that port in a container that is connected to nobody.</summary>
    public bool ReceivesOverUdp(string node, int port) =>
        Hosts.SocketsIn(node, "udp").Any(socket => socket.LocalPort == port && socket.State == KernelSocket.Closed);
}
