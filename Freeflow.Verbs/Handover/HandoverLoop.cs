using System.Collections.Concurrent;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover.Pacing;
using Freeflow.Verbs.Handover.Relays;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// TCP mode: one thread that hands host sockets to containers, tells the other routers which connection is whose, accepts
/// theirs, and queues them to the listeners. Commands come from any thread and are carried out between two rounds; a command's
/// <c>done</c> runs on this thread and must only hand the news on. The rest of the class: HandoverLoop.Clients.cs (those
/// that connect), HandoverLoop.Listeners.cs (those that accept), HandoverLoop.Peers.cs (the other routers).
/// </summary>
public sealed partial class HandoverLoop : IDisposable
{
    private const ulong CommandKey = 1;
    private const ulong EndpointKey = 2;
    private const ulong Ipv6EndpointKey = 3;
    private const int TickMilliseconds = 100;
    private const int OverflowMilliseconds = 5;
    private const int CrowdedFrom = 16;
    private const int MostCrowded = 64;
    private const long CrowdPauseNanoseconds = 250_000;

    private readonly HandoverOptions _options;
    private readonly IAddressOwners _owners;
    private IHandoverPolicy _policy;
    private readonly IHandoverEvents _events;
    private readonly Epoll _epoll = Epoll.Create();
    private readonly EventFd _commandWake = EventFd.Create();
    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly Dictionary<ulong, object> _sources = [];
    private readonly EpollEvent[] _ready = new EpollEvent[64];
    private readonly Ipv4 _host;
    private readonly Endpoint? _endpoint;
    private readonly Endpoint? _ipv6Endpoint;
    private readonly PortRange _ports;
    private readonly SocketLock _lock;
    private readonly Arrivals _arrivals;
    private readonly HandoverPeer _own;
    private readonly Dictionary<int, HandoverPeer> _peers = [];
    private readonly Thread _thread;
    private ulong _nextKey = Ipv6EndpointKey + 1;
    private long _nextTick;
    private readonly int _slowLock;
    private int _sleeping;
    private int _crowd;
    private int _begun;    // connections in this round
    private int _accepted; // the same; within a host each is both
    private volatile bool _stopping;

    /// <summary>Throws Win32Exception when the endpoint's ports can't be had.</summary>
    public HandoverLoop(HandoverOptions options, IAddressOwners owners, IHandoverPolicy policy, IHandoverEvents events)
    {
        (_options, _owners, _policy, _events) = (options, owners, policy, events);
        _host = options.HostAddress ?? default;
        if (options.HostAddress is not null)
        {
            _endpoint = new Endpoint(isIpv6: false, _host, options.Port);
            _ipv6Endpoint = new Endpoint(isIpv6: true, _host, options.Ipv6Port);
        }

        Statistics = new HandoverStatistics { EndpointPort = _endpoint?.Port ?? 0, Ipv6EndpointPort = _ipv6Endpoint?.Port ?? 0 };
        _ports = new PortRange(options.LocalPorts.First, options.LocalPorts.Last, Random.Shared.Next(1 << 16));
        _lock = options.OwnFilters ? SocketLock.WithOwnFilters() : SocketLock.Open(out _slowLock);
        Pacer = new ConnectionPacer(options.PacesRunning, events.Noticed);
        _arrivals = new Arrivals(options);
        _relays = new RelayLoop(options.Time, events.Noticed);
        _own = new HandoverPeer(EngineQueuePair.SameRouter, _host) { Port = _endpoint?.Port ?? options.Port, Ipv6Port = _ipv6Endpoint?.Port ?? options.Ipv6Port };
        _peers.Add(_own.Number, _own);
        _epoll.Add(_commandWake.Handle, EpollEvents.In | EpollEvents.Edge, CommandKey);
        if (_endpoint is not null)
            Watch(_endpoint.Socket, EndpointKey);
        if (_ipv6Endpoint is not null)
            Watch(_ipv6Endpoint.Socket, Ipv6EndpointKey);
        _thread = new Thread(Run) { Name = "handover", IsBackground = true };
    }

    public HandoverStatistics Statistics { get; }

    /// <summary>Keeps the limits of bandwidth.</summary>
    public ConnectionPacer Pacer { get; }

    /// <summary>Errno with which the kernel refused the filters that sockets share, so that each has its own; 0 when it did not.</summary>
    public int SharedFiltersRefused => _slowLock;

    /// <summary>Ports that connections of an earlier router's hold, and those that the endpoints have instead.</summary>
    public IReadOnlyList<(int Wanted, int Port)> OtherPorts =>
        [.. new[] { _endpoint, _ipv6Endpoint }.OfType<Endpoint>().Where(endpoint => endpoint.Port != endpoint.Wanted).Select(endpoint => (endpoint.Wanted, endpoint.Port))];

    /// <summary>Errno with which the kernel refused real-time priority; 0 when it was granted or not asked for.</summary>
    public int RealTimeRefused { get; private set; }

    /// <summary>Milliseconds, as all times of this class.</summary>
    private long Now => _options.Time.Milliseconds();

    public void Start() => _thread.Start();

    public void Dispose()
    {
        _stopping = true;
        _commandWake.Signal();
        if (_thread.IsAlive)
            _thread.Join();
        foreach (var source in _sources.Values.OfType<IDisposable>())
            source.Dispose();
        Pacer.Dispose();
        _arrivals.CloseAll();
        _relays.Dispose();
        _endpoint?.Dispose();
        _ipv6Endpoint?.Dispose();
        _lock.Dispose();
        _epoll.Dispose();
        _commandWake.Dispose();
    }

    /// <summary>Who owns which address has changed: what processes have been told is looked at again.</summary>
    public void LookAgain() => Post(ReviewAll);

    /// <summary>From now on these may connect. Connections that are there already are not looked at.</summary>
    public void SetPolicy(IHandoverPolicy policy) => Post(() =>
    {
        _policy = policy;
        ReviewAll();
    });

    /// <summary>Has the loop's thread call back: one that hangs does not.</summary>
    public void CallBack(Action called) => Post(called);

    private void Post(Action command)
    {
        _commands.Enqueue(command);
        if (Interlocked.Exchange(ref _sleeping, 0) == 1)
            _commandWake.Signal();
    }

    private void Watch(int descriptor, ulong key)
    {
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: false);
        _epoll.Add(handle, EpollEvents.In, key);
    }

    private void Run()
    {
        if (_options.RealTimePriority > 0)
            RealTimeRefused = ThreadScheduling.TrySetRoundRobin(_options.RealTimePriority);
        while (!_stopping)
        {
            try
            {
                Round();
            }
            catch (Exception defect) when (defect is not OutOfMemoryException)
            {
                // One message's defect must not end every container's TCP mode.
                _events.Noticed($"a defect in TCP mode: {defect}");
            }
        }
    }

    private void Round()
    {
        Volatile.Write(ref _sleeping, 1);
        Interlocked.MemoryBarrier();
        var patience = _overflowing > 0 ? OverflowMilliseconds : _watched.Count > 0 ? WatchMilliseconds : TickMilliseconds;
        var count = _epoll.Wait(_ready, _commands.IsEmpty ? patience * 1_000_000L : 0);
        Volatile.Write(ref _sleeping, 0);
        for (var i = 0; i < count; i++)
            Serve(_ready[i]);
        Pace();
        while (_commands.TryDequeue(out var command))
            command();
        FlushLinks();
        var now = Now;
        if (_overflowing > 0 || now >= _nextTick)
            DrainOverflows(now);
        if (_watched.Count > 0 && now >= _nextWatch)
            WatchAll(now);
        if (now >= _nextTick)
            Tick(now);
    }

    /// <summary>
    /// A thread that wakes for each of many connections at once costs more than it serves, and they have others to wait for: while
    /// rounds often find several of them, it lets some come together. One after the other they are served at once.
    /// </summary>
    private void Pace()
    {
        var served = Math.Max(_begun, _accepted);
        if (served == 0)
            return;
        _crowd = served > 1 ? Math.Min(_crowd + 4, MostCrowded) : Math.Max(_crowd - 1, 0);
        _begun = _accepted = 0;
        if (_crowd < CrowdedFrom)
            return;
        FlushLinks();
        ThreadScheduling.Pause(CrowdPauseNanoseconds);
    }

    private void Serve(in EpollEvent ready)
    {
        switch (ready.Key)
        {
            case CommandKey:
                _commandWake.Drain();
                break;
            case EndpointKey:
                AcceptAll(_endpoint!);
                break;
            case Ipv6EndpointKey:
                AcceptAll(_ipv6Endpoint!);
                break;
            default:
                if (!_sources.TryGetValue(ready.Key, out var source))
                    break;
                if (source is HandoverProcess process)
                    ReadNotes(process);
                else if (source is DeliveryChannel channel)
                    ReadNotes(channel);
                else if (source is HandoverLink link)
                    Serve(link, ready.Events);
                break;
        }
    }

    private void Tick(long now)
    {
        _nextTick = now + TickMilliseconds;
        while (_arrivals.TakeOldest(now) is { } unannounced)
        {
            Statistics.Unannounced++;
            HostSocket.Close(unannounced);
        }

        Statistics.Expired += _arrivals.Expire(now);
        Statistics.Waiting = _arrivals.Waiting;
        Statistics.Relays = _relays.Carried;
        ForgetHistories(now);
        WatchPeers(now);
        LookAtListeners(now);
        EndLateRelays(now);
    }
}
