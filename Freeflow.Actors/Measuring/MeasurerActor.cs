using System.ComponentModel;
using Akka.Actor;
using Freeflow.Actors.Directory;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Measuring;

namespace Freeflow.Actors.Measuring;

/// <summary>Gives other routers, and this one's operator, the far end of a measurement: a QP of the router's own, for a bounded time.</summary>
public sealed class MeasurerActor : ReceiveActor, IWithTimers
{
    /// <summary>Its name below /user/router, the same in every router.</summary>
    public const string Name = "measurer";

    public const int LargestMessage = 1 << 20;
    public const int LongestSeconds = 60;

    private const int GidBytes = 16;
    private const int MostAtOnce = 4;

    private static readonly TimeSpan s_toSpare = TimeSpan.FromSeconds(10);

    private readonly VerbsEngine _engine;
    private readonly AddressBook _book;
    private readonly NumberAllocator _numbers;
    private readonly Dictionary<uint, (MeasuringDevice Device, MeasuringNumbers Numbers)> _devices = [];

    public MeasurerActor(VerbsEngine engine, AddressBook book, NumberAllocator numbers)
    {
        (_engine, _book, _numbers) = (engine, book, numbers);
        Receive<MeasuringProtocol.Ask>(Serve);
        Receive<Over>(over => End(over.Qpn));
        Receive<MeasuringProtocol.End>(end =>
        {
            if (_devices.TryGetValue(end.Qpn, out var device) && device.Numbers.Key == end.Key)
                End(end.Qpn);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(VerbsEngine engine, AddressBook book, NumberAllocator numbers) => Akka.Actor.Props.Create(() => new MeasurerActor(engine, book, numbers));

    protected override void PostStop()
    {
        foreach (var qpn in _devices.Keys.ToArray())
            End(qpn);
    }

    private void Serve(MeasuringProtocol.Ask ask)
    {
        if (ask is not { Source.Length: GidBytes, Destination.Length: GidBytes, Bytes: >= 1 and <= LargestMessage, Seconds: >= 1 and <= LongestSeconds })
            Sender.Tell(new MeasuringProtocol.Refused("the question makes no sense"));
        else if (PeerOf(Sender.Path.Address) is not { } peer)
            Sender.Tell(new MeasuringProtocol.Refused("it does not know the asking router"));
        else if (_devices.Count == MostAtOnce)
            Sender.Tell(new MeasuringProtocol.Refused($"{MostAtOnce} measurements are under way there"));
        else
            Begin(ask, peer);
    }

    private void Begin(MeasuringProtocol.Ask ask, int peer)
    {
        var numbers = new MeasuringNumbers(_numbers.TakeQpn(), _numbers.TakeKey(), _numbers.TakeDomain());
        MeasuringDevice device;
        try
        {
            device = new MeasuringDevice(_engine, numbers, ask.Bytes);
        }
        catch (Win32Exception scarce)
        {
            Return(numbers);
            Sender.Tell(new MeasuringProtocol.Refused(scarce.Message));
            return;
        }

        _devices.Add(numbers.Qpn, (device, numbers));
        Timers.StartSingleTimer(numbers.Qpn, new Over(numbers.Qpn), TimeSpan.FromSeconds(ask.Seconds) + s_toSpare);
        device.ConnectAsync(new Gid(ask.Destination), new Gid(ask.Source), ask.Qpn, peer)
            .PipeTo(Sender, Self, () => new MeasuringProtocol.Ready(numbers.Qpn, numbers.Key), failure => new MeasuringProtocol.Refused(failure.Message));
    }

    private void End(uint qpn)
    {
        if (!_devices.Remove(qpn, out var ended))
            return;
        Timers.Cancel(qpn);
        ended.Device.Dispose();
        Return(ended.Numbers);
    }

    private void Return(MeasuringNumbers numbers)
    {
        _numbers.ReturnQpn(numbers.Qpn);
        _numbers.ReturnKey(numbers.Key);
    }

    /// <summary>The engine's number of whoever asks; null for one that is no member.</summary>
    private int? PeerOf(Address asker)
    {
        if (asker.HasLocalScope)
            return EngineQueuePair.SameRouter;
        foreach (var (node, number) in _book.Peers)
        {
            if (NodeName.AddressOf(node) is { } address && address.Equals(asker))
                return number;
        }

        return null;
    }

    private sealed record Over(uint Qpn);
}
