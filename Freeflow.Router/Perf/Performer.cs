using System.ComponentModel;
using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Cluster;
using Freeflow.Actors;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Measuring;
using Freeflow.Router.Control;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Measuring;

namespace Freeflow.Router.Perf;

/// <summary>Measures the way from this router's engine to another one's, by QPs of the routers' own.</summary>
internal sealed class Performer(ActorSystem system, VerbsEngine engine, RouterActor.Started router)
{
    private static readonly TimeSpan s_answersWithin = TimeSpan.FromSeconds(5);

    private readonly Cluster _cluster = Cluster.Get(system);
    private readonly SemaphoreSlim _one = new(1);

    public ControlStream Measure(ControlRequest request)
    {
        var size = request.Number("Size", 65536, 1, MeasurerActor.LargestMessage);
        var seconds = request.Number("Seconds", 3, 1, MeasurerActor.LongestSeconds);
        var tenant = request.Text("Tenant") is { } named ? new Tenant(named).Key : Tenant.Default.Key;
        var (source, from) = Find(request.Text("Source"), tenant);
        var (destination, to) = Find(request.Text("Destination"), tenant);
        if (!router.Book.IsOwn(from))
            throw new ControlException($"the source is not on this host but at {Shown(from)}: measure there");
        return new ControlStream(MeasureAsync(source, destination, from, to, size, seconds));
    }

    private async IAsyncEnumerable<object> MeasureAsync(
        Gid source, Gid destination, string from, string to, int size, int seconds, [EnumeratorCancellation] CancellationToken stop = default)
    {
        if (!await _one.WaitAsync(0, stop))
            throw new ControlException("another measurement is under way at this router, which makes one at a time");
        var numbers = new MeasuringNumbers(router.Numbers.TakeQpn(), router.Numbers.TakeKey(), router.Numbers.TakeDomain());
        MeasuringDevice? device = null;
        MeasuringProtocol.Ready? ready = null;
        try
        {
            device = Device(numbers, size);
            var peer = router.Book.IsOwn(to) ? EngineQueuePair.SameRouter
                : router.Book.Peers.FirstOrDefault(each => each.Key == to) is { Key: not null } found ? found.Value
                : throw new ControlException($"{Shown(to)} is no member that this router has to do with");
            ready = await AskAsync(to, new MeasuringProtocol.Ask(Bytes(source), Bytes(destination), numbers.Qpn, size, seconds + 2), stop);
            await device.ConnectAsync(source, destination, ready.Qpn, peer).WaitAsync(s_answersWithin, stop);
            var progress = Channel.CreateUnbounded<PerfAnswer>();
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var transfer = new Transfer(device, ready.Key, size, TimeSpan.FromSeconds(seconds), progress.Writer, Shown(from), Shown(to));
            var running = Task.Factory.StartNew(() => transfer.Run(ended.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            _ = running.ContinueWith(_ => progress.Writer.Complete(), TaskScheduler.Default);
            try
            {
                await foreach (var part in progress.Reader.ReadAllAsync(stop))
                    yield return part;
            }
            finally
            {
                // Its thread has to be out of the device before that goes.
                ended.Cancel();
                await Task.WhenAny(running);
            }

            await running;
        }
        finally
        {
            if (ready is not null)
                MeasurerOf(to).Tell(new MeasuringProtocol.End(ready.Qpn, ready.Key));
            device?.Dispose();
            router.Numbers.ReturnQpn(numbers.Qpn);
            router.Numbers.ReturnKey(numbers.Key);
            _one.Release();
        }
    }

    private MeasuringDevice Device(MeasuringNumbers numbers, int size)
    {
        try
        {
            return new MeasuringDevice(engine, numbers, size);
        }
        catch (Win32Exception scarce)
        {
            throw new ControlException(scarce.Message);
        }
    }

    private async Task<MeasuringProtocol.Ready> AskAsync(string node, MeasuringProtocol.Ask ask, CancellationToken stop)
    {
        try
        {
            return await MeasurerOf(node).Ask<object>(ask, s_answersWithin, stop) switch
            {
                MeasuringProtocol.Ready ready => ready,
                MeasuringProtocol.Refused refused => throw new ControlException($"the router at {Shown(node)} refuses: {refused.Reason}"),
                _ => throw new ControlException($"the router at {Shown(node)} has said something else"),
            };
        }
        catch (AskTimeoutException)
        {
            throw new ControlException($"the router at {Shown(node)} did not answer within {s_answersWithin.TotalSeconds} s; is it of an older version?");
        }
    }

    private ActorSelection MeasurerOf(string node) => router.Book.IsOwn(node)
        ? system.ActorSelection($"/user/router/{MeasurerActor.Name}")
        : system.ActorSelection(new RootActorPath(NodeName.AddressOf(node)!) / "user" / "router" / MeasurerActor.Name);

    /// <summary>A container's address of that tenant, or a router's.</summary>
    private (Gid Gid, string Node) Find(string? text, ulong tenant)
    {
        if (!IPAddress.TryParse(text, out var address))
            throw new ControlException("\"Source\" and \"Destination\" have to be addresses of containers or routers");
        var gid = Gid.FromAddress(address);
        if (router.Book.NodeOf(new TenantAddress(tenant, gid)) is { } owner)
            return (gid, owner);
        return _cluster.State.Members.FirstOrDefault(member => member.Address.Host == address.ToString()) is { } known
            ? (gid, NodeName.Of(known.UniqueAddress))
            : throw new ControlException($"{address} is neither the address of a container nor of a router");
    }

    private static byte[] Bytes(Gid gid) => System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<Gid>(in gid)).ToArray();

    private static string Shown(string node) => NodeName.AddressOf(node) is { } at ? $"{at.Host}:{at.Port}" : node;
}
