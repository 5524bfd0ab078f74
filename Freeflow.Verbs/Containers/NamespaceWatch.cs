using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Containers;

/// <summary>
/// Follows the addresses of a container. One thread serves all watches; a thread enters the namespace only to make the
/// socket.
/// </summary>
public sealed class NamespaceWatch : IDisposable
{
    private readonly AddressTable _table = new();
    private readonly RouteNetlink _netlink;
    private readonly Action<IReadOnlyList<InterfaceAddress>> _changed;
    private int _dumps;
    private IReadOnlyList<InterfaceAddress> _last = [];
    private bool _reported;

    private NamespaceWatch(RouteNetlink netlink, Action<IReadOnlyList<InterfaceAddress>> changed)
    {
        _netlink = netlink;
        _changed = changed;
    }

    /// <summary>
    /// Starts to follow; the first call of <paramref name="changed"/> brings the present addresses, later ones what they
    /// have become. Called on the watching thread. Throws InvalidOperationException when the namespace can't be entered.
    /// </summary>
    public static NamespaceWatch Start(NetworkNamespace @namespace, Action<IReadOnlyList<InterfaceAddress>> changed)
    {
        var watch = new NamespaceWatch(Namespaces.RunIn(@namespace.Handle, RouteNetlink.Open), changed);
        NamespaceWatchLoop.Shared.Add(watch);
        return watch;
    }

    public void Dispose() => NamespaceWatchLoop.Shared.Remove(this);

    internal RouteNetlink Netlink => _netlink;

    internal void Begin()
    {
        _table.Clear();
        _dumps = 2;
        _netlink.Ask(RouteNetlink.GetLink);
    }

    /// <summary>Reads what has come and reports when the addresses are others than before.</summary>
    internal void Read(byte[] buffer)
    {
        const ushort done = 3;
        while (true)
        {
            var got = _netlink.Receive(buffer);
            if (got < 0)
            {
                // Messages were lost: start over.
                Begin();
                return;
            }

            if (got == 0)
                break;
            ReadOnlySpan<byte> datagram = buffer.AsSpan(0, got);
            while (RouteNetlink.TryNext(ref datagram, out var type, out var body))
            {
                if (type == done && _dumps > 0 && --_dumps == 1)
                    _netlink.Ask(RouteNetlink.GetAddress);
                else
                    _table.Apply(type, body);
            }
        }

        if (_dumps > 0)
            return;
        var now = _table.Snapshot();
        if (_reported && now.SequenceEqual(_last))
            return;
        _reported = true;
        _last = now;
        _changed(now);
    }
}

/// <summary>The thread that serves every <see cref="NamespaceWatch"/>.</summary>
internal sealed class NamespaceWatchLoop
{
    private readonly Epoll _epoll = Epoll.Create();
    private readonly Dictionary<ulong, NamespaceWatch> _watches = [];
    private readonly Lock _gate = new();
    private ulong _nextKey;

    private NamespaceWatchLoop() =>
        new Thread(Run) { IsBackground = true, Name = "namespace-watch" }.Start();

    public static NamespaceWatchLoop Shared { get; } = new();

    public void Add(NamespaceWatch watch)
    {
        lock (_gate)
        {
            _watches.Add(++_nextKey, watch);
            _epoll.Add(watch.Netlink.Handle, EpollEvents.In, _nextKey);
            watch.Begin();
        }
    }

    public void Remove(NamespaceWatch watch)
    {
        lock (_gate)
        {
            var key = _watches.FirstOrDefault(entry => entry.Value == watch).Key;
            if (key == 0)
                return;
            _watches.Remove(key);
            _epoll.Remove(watch.Netlink.Handle);
            watch.Netlink.Dispose();
        }
    }

    private void Run()
    {
        var ready = new EpollEvent[16];
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var count = _epoll.Wait(ready, -1);
            lock (_gate)
            {
                for (var i = 0; i < count; i++)
                {
                    if (_watches.TryGetValue(ready[i].Key, out var watch))
                        watch.Read(buffer);
                }
            }
        }
    }
}
