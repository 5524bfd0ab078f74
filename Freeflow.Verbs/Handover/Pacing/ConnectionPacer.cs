using System.Collections.Concurrent;
using System.Diagnostics;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover.Pacing;

/// <summary>
/// Holds containers and tenants to what their accelerated connections may send together. Their sockets are in the containers' hands: so a
/// few times a second the kernel sets the rate of each and says what it has sent, and the limit is divided anew. It looks for limited
/// connections only; while there are none it sleeps.
/// </summary>
public sealed class ConnectionPacer : IDisposable
{
    private const int Most = 200_000;
    private const ulong LeastRate = 1000;
    private const ulong LargestRate = uint.MaxValue - 1;

    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(250);

    /// <summary>A connection that is noted may be connected a little later.</summary>
    private const int MostMissed = 20;

    private readonly ConcurrentQueue<PacedConnection> _coming = new();
    private readonly ConcurrentDictionary<ulong, HandoverContainer> _known = new();
    private readonly Dictionary<ulong, PacedConnection> _connections = [];
    private readonly Dictionary<PacedGroup, List<(PacedGroup Container, List<PacedConnection> Connections)>> _tenants = [];
    private readonly PacingTable? _table;
    private readonly Action<string> _notice;
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread? _thread;
    private int _problem;
    private long _passedAt;
    private volatile bool _stopping;

    /// <param name="isWanted">Else it is as where the kernel can't.</param>
    /// <param name="notice">Told when limits do not hold; on a thread of its own.</param>
    public ConnectionPacer(bool isWanted, Action<string> notice)
    {
        _notice = notice;
        var refused = Errno.EOPNOTSUPP;
        _table = isWanted ? PacingTable.TryCreate(out refused) : null;
        Refused = refused;
        if (_table is null)
            return;
        _thread = new Thread(Run) { Name = "pacing", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Errno with which the kernel refused what it takes, so that connections keep the rate that they have begun with; 0: it did not.</summary>
    public int Refused { get; }

    /// <summary>What a connection that is about to begin gets until it is seen: bytes a second, 0 for no limit.</summary>
    /// <param name="container">Whose it is.</param>
    /// <param name="others">Sockets that it has and has not connected.</param>
    internal long FirstRate(HandoverContainer container, int others) =>
        Refused != 0 ? container.Pacing : container.Pacing is > 0 and var limit ? Math.Max(limit / (1 + container.Paced + others), (long)LeastRate) : 0;

    /// <summary>Any thread: a connection of a container is there, or comes. Once is enough, more does no harm.</summary>
    /// <param name="container">Whose it is.</param>
    /// <param name="cookie">Its socket's.</param>
    /// <param name="given">What its socket was made with, as far as that is known; 0: no limit.</param>
    public void Add(HandoverContainer container, ulong cookie, long given)
    {
        if (Refused != 0 || container.Pacing == 0 || _coming.Count >= Most || !_known.TryAdd(cookie, container))
            return;
        _coming.Enqueue(new PacedConnection(cookie, container, given == 0 ? PacingEntry.Unlimited : (ulong)given));
        _wake.Set();
    }

    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        _thread?.Join();
        _table?.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        while (!_stopping)
        {
            if (_connections.Count == 0)
                _wake.WaitOne();
            else
                Thread.Sleep(s_every); // a connection more does not hurry it
            if (_stopping)
                return;
            try
            {
                Turn();
            }
            catch (Exception defect) when (defect is not OutOfMemoryException)
            {
                // Rates stay as they are then; nothing else is to end by it.
                _notice($"a defect in what paces connections: {defect}");
            }
        }
    }

    private void Turn()
    {
        TakeComing();
        var now = Stopwatch.GetTimestamp();
        var seconds = Math.Clamp(Stopwatch.GetElapsedTime(_passedAt, now).TotalSeconds, 0.05, 5);
        _passedAt = now;
        Divide(seconds);
        Pass(seconds);
    }

    private void TakeComing()
    {
        while (_coming.TryDequeue(out var coming))
            _connections.Add(coming.Cookie, coming);
    }

    private void Divide(double seconds)
    {
        foreach (var groups in _tenants.Values)
            groups.Clear();
        foreach (var its in _connections.Values.Where(connection => connection.Counts).GroupBy(connection => connection.Container))
        {
            var (container, tenant) = (its.Key.Own, its.Key.Together);
            if (!_tenants.TryGetValue(tenant, out var groups))
                _tenants.Add(tenant, groups = []);
            var connections = its.ToList();
            container.Used = connections.Sum(connection => connection.Used);
            groups.Add((container, connections));
        }

        foreach (var (tenant, groups) in _tenants.Where(entry => entry.Value.Count == 0).ToArray())
            _tenants.Remove(tenant);
        foreach (var (tenant, groups) in _tenants)
        {
            tenant.Used = groups.Sum(group => group.Container.Used);
            ShareAmong(tenant.Capacity(seconds), groups, group => group.Container.Used, group => group.Container.Share, (group, share) => group.Container.Share = share);
            foreach (var (container, connections) in groups)
            {
                ShareAmong(
                    Math.Min(container.Capacity(seconds), container.Share), connections, connection => connection.Used, connection => connection.Share,
                    (connection, share) => connection.Share = share);
            }
        }
    }

    private static void ShareAmong<T>(double capacity, List<T> members, Func<T, double> used, Func<T, double> had, Action<T, double> give)
    {
        if (capacity == double.MaxValue)
        {
            members.ForEach(member => give(member, double.MaxValue));
            return;
        }

        var shares = members.ConvertAll(member => had(member)).ToArray();
        RateSharing.Divide(capacity, members.ConvertAll(member => used(member)).ToArray(), shares);
        for (var i = 0; i < shares.Length; i++)
            give(members[i], shares[i]);
    }

    private void Pass(double seconds)
    {
        var problem = 0;
        foreach (var connection in _connections.Values)
        {
            var rate = connection.Share == double.MaxValue ? PacingEntry.Unlimited : Math.Clamp((ulong)connection.Share, LeastRate, LargestRate);
            if (_table!.Set(connection.Cookie, connection.Given, rate) is < 0 and var full)
                problem = -full;
            connection.Given = rate;
        }

        if (_table!.Pass() is > 0 and var refused)
            problem = refused;
        foreach (var connection in _connections.Values.ToArray())
        {
            connection.Saw(_table.SentBy(connection.Cookie), seconds);
            if ((connection.Given == PacingEntry.Unlimited && connection.Counts) || connection.Missed >= MostMissed)
                Forget(connection);
        }

        if (problem != 0 && problem != _problem)
            _notice($"the kernel does not set the rate of connections that run (errno {problem}): TCP goes beyond the policy's bandwidths until it does");
        _problem = problem;
    }

    private void Forget(PacedConnection connection)
    {
        _connections.Remove(connection.Cookie);
        _table!.Remove(connection.Cookie);
        _known.TryRemove(connection.Cookie, out _);
        connection.Leave();
    }
}
