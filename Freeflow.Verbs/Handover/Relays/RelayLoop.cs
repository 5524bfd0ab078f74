using System.Collections.Concurrent;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover.Relays;

/// <summary>
/// One ordinary thread that connects and carries what can't be handed over: its connections pass through this process, and end
/// with it. Begins with the first. Any thread may call; a dial's <c>done</c> runs on this one.
/// </summary>
internal sealed class RelayLoop(TimeProvider time, Action<string> noticed) : IDisposable
{
    private const ulong CommandKey = 1;
    private const int TickMilliseconds = 100;
    private const int Most = 4096;
    private const int MostOfOne = 512;

    private readonly ConcurrentQueue<Action> _commands = new();
    private readonly Lazy<Running> _running = new(() => new Running());
    private readonly Dictionary<ulong, Relay> _relays = [];
    private readonly Dictionary<RelayOwner, int> _owned = [];
    private readonly Dictionary<ulong, Dial> _dials = [];
    private readonly HashSet<ulong> _unfinished = [];
    private readonly byte[] _scratch = GC.AllocateUninitializedArray<byte>(256 * 1024, pinned: true);
    private ulong _nextKey = CommandKey + 1;
    private Thread? _thread;
    private volatile int _carried;
    private volatile bool _stopping;

    /// <summary>Relays that run.</summary>
    public int Carried => _carried;

    /// <summary>Carries bytes between two connected sockets from now on, and closes them in the end; at once where there are too many.</summary>
    /// <param name="one">Is taken over.</param>
    /// <param name="other">Likewise.</param>
    /// <param name="owner">Whose it is: so that none can use them all up.</param>
    public void Join(int one, int other, RelayOwner owner) => Post(() =>
    {
        var ofOwner = _owned.GetValueOrDefault(owner);
        if (_relays.Count >= Most || ofOwner >= MostOfOne)
        {
            HostSocket.Reset(one);
            HostSocket.Reset(other);
            return;
        }

        var (key, relay) = (_nextKey++, new Relay(one, other, owner));
        _relays.Add(key, relay);
        _owned[owner] = ofOwner + 1;
        _carried = _relays.Count;
        Watch(one, EpollEvents.In | EpollEvents.Out | EpollEvents.Edge, key);
        Watch(other, EpollEvents.In | EpollEvents.Out | EpollEvents.Edge, key);
        Carry(key, relay);
    });

    /// <summary>Connects within a time; <paramref name="done"/> gets the socket, or -errno.</summary>
    /// <param name="begin">Makes the socket and begins to connect it, on this thread; -errno where that fails.</param>
    /// <param name="deadline">By this loop's clock (<see cref="MonotonicTime"/>).</param>
    /// <param name="done">On this thread.</param>
    public void Connect(Func<int> begin, long deadline, Action<int> done) => Post(() =>
    {
        var socket = _dials.Count + _relays.Count < Most ? begin() : -Errno.ENOBUFS;
        if (socket < 0)
        {
            done(socket);
            return;
        }

        var key = _nextKey++;
        _dials.Add(key, new Dial(socket, deadline, done));
        Watch(socket, EpollEvents.Out, key);
    });

    public void Dispose()
    {
        if (_stopping)
            return;
        _stopping = true;
        if (!_running.IsValueCreated)
            return;
        _running.Value.Wake.Signal();
        _thread!.Join();
        foreach (var relay in _relays.Values)
            relay.Abort();
        foreach (var dial in _dials.Values)
            HostSocket.Close(dial.Socket);
        _running.Value.Dispose();
    }

    private void Post(Action command)
    {
        _commands.Enqueue(command);
        lock (_running)
        {
            if (_thread is null)
            {
                _running.Value.Epoll.Add(_running.Value.Wake.Handle, EpollEvents.In | EpollEvents.Edge, CommandKey);
                _thread = new Thread(Run) { Name = "relay", IsBackground = true };
                _thread.Start();
            }
        }

        _running.Value.Wake.Signal();
    }

    private void Run()
    {
        var ready = new EpollEvent[64];
        while (!_stopping)
        {
            try
            {
                Round(ready);
            }
            catch (Exception defect) when (defect is not OutOfMemoryException)
            {
                noticed($"a defect in a relay: {defect}");
            }
        }
    }

    private void Round(EpollEvent[] ready)
    {
        var patience = _unfinished.Count > 0 || !_commands.IsEmpty ? 0 : _dials.Count > 0 ? TickMilliseconds * 1_000_000L : -1;
        var count = _running.Value.Epoll.Wait(ready, patience);
        for (var i = 0; i < count; i++)
            Serve(ready[i]);
        foreach (var key in _unfinished.ToArray())
            Carry(key, _relays[key]);

        while (_commands.TryDequeue(out var command))
            command();
        if (_dials.Count > 0)
            EndLateDials(time.Milliseconds());
    }

    private void Serve(in EpollEvent ready)
    {
        if (ready.Key == CommandKey)
            _running.Value.Wake.Drain();
        else if (_dials.Remove(ready.Key, out var dial))
            End(dial, -HostSocket.ErrorOf(dial.Socket));
        else if (_relays.TryGetValue(ready.Key, out var relay))
            Carry(ready.Key, relay, isBroken: (ready.Events & EpollEvents.Error) != 0);
    }

    private void Carry(ulong key, Relay relay, bool isBroken = false)
    {
        if (isBroken)
        {
            relay.Abort();
        }
        else if (relay.TryCarry(_scratch, out var hasMore))
        {
            _ = hasMore ? _unfinished.Add(key) : _unfinished.Remove(key);
            return;
        }

        // Closing has taken both out of the epoll set: nobody else has them.
        _relays.Remove(key);
        _unfinished.Remove(key);
        if (--_owned[relay.Owner] == 0)
            _owned.Remove(relay.Owner);
        _carried = _relays.Count;
    }

    private void EndLateDials(long now)
    {
        foreach (var (key, dial) in _dials)
        {
            if (now < dial.Deadline)
                continue;
            _dials.Remove(key);
            End(dial, -Errno.ETIMEDOUT);
        }
    }

    /// <summary>Whoever gets the socket may watch it anew.</summary>
    private void End(Dial dial, int error)
    {
        using (var handle = new SafeFileHandle(dial.Socket, ownsHandle: false))
            _running.Value.Epoll.Remove(handle);
        if (error < 0)
            HostSocket.Close(dial.Socket);
        dial.Done(error < 0 ? error : dial.Socket);
    }

    private void Watch(int descriptor, EpollEvents events, ulong key)
    {
        using var handle = new SafeFileHandle(descriptor, ownsHandle: false);
        _running.Value.Epoll.Add(handle, events, key);
    }

    private readonly record struct Dial(int Socket, long Deadline, Action<int> Done);

    private sealed class Running : IDisposable
    {
        public Epoll Epoll { get; } = Epoll.Create();

        public EventFd Wake { get; } = EventFd.Create();

        public void Dispose()
        {
            Epoll.Dispose();
            Wake.Dispose();
        }
    }
}
