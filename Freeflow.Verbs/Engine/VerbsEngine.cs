using System.Collections.Concurrent;
using System.Diagnostics;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// The software NIC: one thread that takes doorbells, executes work requests, writes completions and serves the data
/// links. Commands come from any thread and are carried out between two rounds; a command's <c>done</c> runs on the
/// engine's thread and must only hand the news on.
/// </summary>
public sealed partial class VerbsEngine : IDisposable
{
    private const ulong CommandKey = 1;
    private const int OperationsPerTurn = 64;
    private const int BytesPerTurn = 1 << 20;
    private const int RoundsBetweenLooks = 8;

    private readonly EngineOptions _options;
    private readonly EngineCore _core;
    private readonly Epoll _epoll = Epoll.Create();
    private readonly EventFd _commandWake = EventFd.Create();
    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly Dictionary<ulong, object> _sources = [];
    private readonly DoorbellWatch _doorbells;
    private readonly EpollEvent[] _ready = new EpollEvent[64];
    private readonly Action<EngineQueuePair, RetryReason> _expired;
    private readonly Thread _thread;
    private ulong _nextKey = CommandKey + 1;
    private int _sleeping;
    private volatile bool _stopping;

    public VerbsEngine(EngineOptions options, IEngineEvents events, IAddressResolver addresses)
    {
        _options = options;
        _core = new EngineCore(events, addresses);
        _doorbells = new DoorbellWatch(_core);
        _expired = _core.Requester.Expired;
        _epoll.Add(_commandWake.Handle, EpollEvents.In | EpollEvents.Edge, CommandKey);
        _thread = new Thread(Run) { Name = "verbs-engine", IsBackground = true };
    }

    public EngineStatistics Statistics => _core.Statistics;

    /// <summary>From the moment that the engine sees a doorbell to the turn of its QP; empty when it is not measured.</summary>
    public WaitHistogram DoorbellWaits => _core.Statistics.DoorbellWaits;

    /// <summary>When the engine's thread sleeps.</summary>
    public SleepClock Sleep => _core.Statistics.Sleep;

    /// <summary>What has gone over the data links to a member; null before the first link.</summary>
    public PeerTally? TallyOf(int peer) => _core.Peers.GetValueOrDefault(peer);

    /// <summary>Errno with which the kernel refused real-time priority; 0 when it was granted or not asked for.</summary>
    public int RealTimeRefused { get; private set; }

    /// <summary>What ended the engine's thread, if anything did: a defect.</summary>
    public Exception? Fault { get; private set; }

    public void Start() => _thread.Start();

    public void Attach(EngineConnection connection) => Post(() =>
    {
        connection.WakeKey = _nextKey++;
        _sources.Add(connection.WakeKey, connection);
        _epoll.Add(connection.WakeHandle, EpollEvents.In | EpollEvents.Edge, connection.WakeKey);
        _doorbells.Watch(connection);
        _core.Statistics.Connections++;
    });

    /// <summary>
    /// Removes the connection and everything of it. Its QPs take doorbells as before: a program that lives on while its router ends is not
    /// told so by ibv_post_send, but by its flushed requests.
    /// </summary>
    public void Detach(EngineConnection connection, Action done) => Post(() =>
    {
        foreach (var queuePair in connection.QueuePairs.Values.ToArray())
            RemoveNow(queuePair);
        foreach (var completionQueue in connection.CompletionQueues.ToArray())
            RemoveNow(completionQueue);
        foreach (var window in connection.MemoryWindows.ToArray())
            RemoveNow(window);
        foreach (var region in connection.MemoryRegions.ToArray())
            RemoveNow(region);
        if (_sources.Remove(connection.WakeKey))
        {
            _epoll.Remove(connection.WakeHandle);
            _doorbells.Forget(connection);
            _core.Statistics.Connections--;
        }

        done();
    });

    public void Add(EngineQueuePair queuePair) => Post(() =>
    {
        queuePair.Attached = true;
        queuePair.Receives.Users++;
        queuePair.Connection.QueuePairs.Add(queuePair.Handle, queuePair);
        _core.QueuePairs.Add(queuePair.Number, queuePair);
        _core.Statistics.QueuePairs++;
    });

    public void Modify(EngineQueuePair queuePair, QueuePairChange change, Action done) => Post(() =>
    {
        if (queuePair.Attached)
            Apply(queuePair, change);
        done();
    });

    public void Remove(EngineQueuePair queuePair, Action done) => Post(() =>
    {
        if (queuePair.Attached)
            queuePair.State = QueuePairState.Reset;
        RemoveNow(queuePair);
        done();
    });

    /// <summary>Makes a UD QP a member of a multicast group; false when the router has no room for another group.</summary>
    public void JoinGroup(EngineQueuePair queuePair, Gid group, Action<bool> done) =>
        Post(() => done(queuePair.Attached && _core.Groups.Join(queuePair, group)));

    public void LeaveGroup(EngineQueuePair queuePair, Gid group, Action done) => Post(() =>
    {
        _core.Groups.Leave(queuePair, group);
        done();
    });

    /// <summary>Gives the engine a connection to a peer router; an older one to the same peer is closed.</summary>
    public void AttachLink(int peer, AuthenticatedLink link) => Post(() =>
    {
        if (_core.Links.TryGetValue(peer, out var older))
            Close(older, "replaced by a newer connection");
        if (_options.LinkCongestionControl.Length > 0)
            StreamSocket.TrySetCongestionControl(link.Socket, _options.LinkCongestionControl);
        var tally = _core.Peers.GetOrAdd(peer, _ => new PeerTally());
        tally.IsUp = true;
        var attached = new DataLink(_core, peer, link, _nextKey++, tally);
        _core.Links[peer] = attached;
        _sources.Add(attached.Key, attached);
        _epoll.Add(attached.Socket, EpollEvents.In, attached.Key);
        _core.Statistics.Links++;
        foreach (var queuePair in _core.QueuePairs.Values)
        {
            if (queuePair.Peer == peer)
                _core.Requester.LinkFound(queuePair);
        }

        _core.Events.LinkUp(peer);
    });

    /// <summary>The peer router is no longer a member: whatever waits for it fails.</summary>
    public void RemovePeer(int peer) => Post(() =>
    {
        if (_core.Links.TryGetValue(peer, out var link))
            Close(link, "the peer router left");
        _core.Peers.TryRemove(peer, out _);
        foreach (var queuePair in _core.QueuePairs.Values.Where(pair => pair.Peer == peer).ToArray())
            _core.Requester.PeerLost(queuePair);
    });

    /// <summary>Stops the thread and closes the links. Connections and their rings are their owners' to free.</summary>
    public void Dispose()
    {
        _stopping = true;
        _commandWake.Signal();
        if (_thread.IsAlive && Thread.CurrentThread != _thread)
            _thread.Join();
        foreach (var link in _core.Links.Values)
            link.Dispose();
        _epoll.Dispose();
        _commandWake.Dispose();
    }

    /// <summary>A round trip to a peer's engine; null when there is no link to it, or no room. If the link is lost meanwhile, nothing is said.</summary>
    public void Ping(int peer, Action<TimeSpan?> done) => Post(() =>
    {
        if (!_core.Links.TryGetValue(peer, out var link) || !link.Ping(ticks => done(Stopwatch.GetElapsedTime(0, ticks))))
            done(null);
    });

    /// <summary>Has the engine's thread call back: one that hangs does not.</summary>
    public void CallBack(Action called) => Post(called);

    private void Post(Action command)
    {
        _commands.Enqueue(command);
        if (Interlocked.Exchange(ref _sleeping, 0) == 1)
            _commandWake.Signal();
    }

    private void Run()
    {
        if (_options.Core >= 0)
            ThreadScheduling.TrySetAffinity(_options.Core);
        if (_options.RealTimePriority > 0)
            RealTimeRefused = ThreadScheduling.TrySetRoundRobin(_options.RealTimePriority);
        try
        {
            var spinTicks = (long)(_options.SpinFor.TotalSeconds * Stopwatch.Frequency);
            var lastWork = Stopwatch.GetTimestamp();
            var rounds = 0;
            while (!_stopping)
            {
                _core.Now = Stopwatch.GetTimestamp();
                var worked = RunCommands() | _doorbells.Take() | RunQueuePairs();
                FlushLinks();
                _core.Answers.Release();
                _core.Clock.Expire(_core.Now, _expired);
                _core.Rates.Release();
                if (worked || _core.RunnableCount > 0)
                {
                    lastWork = _core.Now;
                    if (++rounds % RoundsBetweenLooks == 0)
                        Look(0);
                }
                else if (!_core.Answers.StaysAwake())
                {
                    var stayAwake = _options.BusyPoll || _core.Now - lastWork < spinTicks;
                    Look(stayAwake ? 0 : Math.Min(Math.Min(_core.Clock.Next, _core.Rates.Next), _core.Answers.NextDeadline));
                }
            }
        }
        catch (Exception defect)
        {
            Fault = defect;
            Environment.FailFast("The verbs engine ended by a defect.", defect);
        }
    }

    private bool RunCommands()
    {
        var any = false;
        while (_commands.TryDequeue(out var command))
        {
            command();
            any = true;
        }

        return any;
    }

    private bool RunQueuePairs()
    {
        var turns = _core.RunnableCount;
        for (var i = 0; i < turns; i++)
        {
            var queuePair = _core.Dequeue();
            if (!queuePair.Attached)
                continue;
            if (queuePair.RangAt != 0)
            {
                if (_options.MeasuresWaits)
                    _core.Statistics.DoorbellWaits.Add(Stopwatch.GetTimestamp() - queuePair.RangAt);
                queuePair.RangAt = 0;
            }

            var rates = queuePair.Connection.Rates;
            if ((rates.Own.IsLimited || rates.Tenant.IsLimited) && queuePair.State != QueuePairState.Error)
                RunLimited(queuePair);
            else
                Run(queuePair, new WorkBudget(OperationsPerTurn, BytesPerTurn));
        }

        return turns > 0;
    }

    /// <summary>What is left of the budget.</summary>
    private WorkBudget Run(EngineQueuePair queuePair, WorkBudget budget)
    {
        var link = LinkOf(queuePair);
        if ((link is null || link.TryAnswer(queuePair, ref budget)) && _core.Requester.Run(queuePair, link, ref budget))
            _core.Enqueue(queuePair);
        return budget;
    }

    private DataLink? LinkOf(EngineQueuePair queuePair) => queuePair.Peer >= 0 ? _core.Links.GetValueOrDefault(queuePair.Peer) : null;

    private void FlushLinks()
    {
        foreach (var link in _core.Links.Values)
        {
            if (link.OwesGroups && link.Broken is null && !link.IsBlocked)
                _core.Groups.TellEverything(link);
            if (link.Broken is null && !link.IsBlocked)
                link.Flush();
            if (link.Broken is null && link.IsBlocked != link.AwaitsRoom)
            {
                link.AwaitsRoom = link.IsBlocked;
                _epoll.Modify(link.Socket, link.AwaitsRoom ? EpollEvents.In | EpollEvents.Out : EpollEvents.In, link.Key);
            }

            if (link.Broken is not null)
            {
                // The dictionary changes: the others are flushed in the next round.
                Close(link, link.Broken);
                return;
            }
        }
    }

    /// <summary>Waits for sockets and wake-ups until a time, or just looks (0). Before it really sleeps, everyone is told to wake it.</summary>
    private void Look(long deadline)
    {
        if (deadline != 0)
        {
            Volatile.Write(ref _sleeping, 1);
            if (!_doorbells.TrySleep() || !_commands.IsEmpty || _stopping)
                deadline = 0;
        }

        var sleeps = deadline != 0;
        if (sleeps)
            _core.Statistics.Sleep.FallAsleep();
        var count = _epoll.Wait(_ready, NanosecondsUntil(deadline));
        Volatile.Write(ref _sleeping, 0);
        var now = sleeps ? _core.Statistics.Sleep.WakeUp() : Stopwatch.GetTimestamp();
        _doorbells.Wake();
        if (count > 0)
        {
            _core.Now = now;
            _core.Statistics.Wakeups++;
        }

        for (var i = 0; i < count; i++)
        {
            if (!_sources.TryGetValue(_ready[i].Key, out var source))
                continue;
            if (source is EngineConnection connection)
            {
                _doorbells.Watch(connection);
            }
            else if (source is DataLink link && link.Broken is null)
            {
                if ((_ready[i].Events & EpollEvents.Out) != 0)
                    link.Flush();
                if ((_ready[i].Events & ~EpollEvents.Out) != 0)
                    link.Receive();
            }
        }
    }

    private static long NanosecondsUntil(long deadline) =>
        deadline == long.MaxValue ? -1
        : deadline == 0 ? 0
        : Math.Max(0, deadline - Stopwatch.GetTimestamp()) * (1_000_000_000 / Stopwatch.Frequency);

    private void Close(DataLink link, string reason)
    {
        _core.Links.Remove(link.Peer);
        _core.Groups.Forget(link.Peer);
        _sources.Remove(link.Key);
        _epoll.Remove(link.Socket);
        link.Dispose();
        _core.Statistics.Links--;
        link.Tally.IsUp = false;
        link.Tally.LinksLost++;
        foreach (var queuePair in _core.QueuePairs.Values.Where(pair => pair.Peer == link.Peer))
        {
            queuePair.Parked = false;
            queuePair.Inbound.Active = false;
            queuePair.Responses.Clear();
            _core.Requester.LinkLost(queuePair);
        }

        _core.Events.LinkDown(link.Peer, reason);
    }

    private void Apply(EngineQueuePair queuePair, QueuePairChange change)
    {
        if (change.State == QueuePairState.Reset)
        {
            _core.Settle(queuePair);
            queuePair.Clear();
            queuePair.State = QueuePairState.Reset;
            return;
        }

        // It failed after the control plane had agreed to the change.
        if (queuePair.State == QueuePairState.Error)
            return;
        queuePair.LocalGid = change.LocalGid ?? queuePair.LocalGid;
        queuePair.RemoteGid = change.RemoteGid ?? queuePair.RemoteGid;
        queuePair.RemoteQpn = change.RemoteQpn ?? queuePair.RemoteQpn;
        queuePair.Peer = change.Peer ?? queuePair.Peer;
        queuePair.Qkey = change.Qkey ?? queuePair.Qkey;
        queuePair.Timeout = change.Timeout ?? queuePair.Timeout;
        queuePair.RetryCount = change.RetryCount ?? queuePair.RetryCount;
        queuePair.RnrRetry = change.RnrRetry ?? queuePair.RnrRetry;
        queuePair.MinRnrTimer = change.MinRnrTimer ?? queuePair.MinRnrTimer;
        queuePair.MaxReadAtomic = change.MaxReadAtomic ?? queuePair.MaxReadAtomic;
        queuePair.MaxDestReadAtomic = change.MaxDestReadAtomic ?? queuePair.MaxDestReadAtomic;
        queuePair.Access = change.Access ?? queuePair.Access;
        if (change.SqPsn is { } sendPsn)
        {
            queuePair.NextSequence = sendPsn;
            queuePair.SendLimit = Requester.InitialCredits;
        }

        if (change.RqPsn is { } receivePsn)
            queuePair.Expected = receivePsn;
        queuePair.NotifyDrained = change.NotifyDrained;
        if (change.State == QueuePairState.Error)
        {
            _core.EnterError(queuePair);
            return;
        }

        queuePair.State = change.State;
        _core.Enqueue(queuePair);
        if (change.RemoteGid is not null)
            EndIfForbidden(queuePair);
    }

    private void RemoveNow(EngineQueuePair queuePair)
    {
        if (!queuePair.Attached)
            return;
        _core.Settle(queuePair);
        _core.Groups.LeaveAll(queuePair);
        UnbindWindowsOf(queuePair);
        queuePair.Attached = false;
        queuePair.Receives.Users--;
        queuePair.Connection.QueuePairs.Remove(queuePair.Handle);
        _core.QueuePairs.Remove(queuePair.Number);
        _core.Statistics.QueuePairs--;
    }
}
