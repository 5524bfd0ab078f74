using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Channel;

/// <summary>Bounds on what shims may do to the router's socket.</summary>
public sealed record ShimListenerOptions
{
    /// <summary>A client that connects and says nothing for so long is closed.</summary>
    public TimeSpan HelloTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public int MaximumConnections { get; init; } = 4096;

    /// <summary>So that one container can't use them all up.</summary>
    public int MaximumConnectionsPerContainer { get; init; } = 1024;

    /// <summary>Tells the time for <see cref="HelloTimeout"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>
/// The router's socket for shims: one thread that accepts, receives whole messages with their descriptors and hands them
/// on. Whatever a client does, only its own connection ends.
/// </summary>
public sealed class ShimListener : IDisposable
{
    private const ulong ListenerKey = 0;
    private const ulong WakeKey = 1;
    private const int Backlog = 256;

    // A tick bounds the wait, so that silent clients are noticed.
    private const string DefaultName = "default";
    private const int TickMilliseconds = 500;

    private readonly IShimListenerEvents _events;
    private readonly ShimListenerOptions _options;
    private readonly string _path;
    private readonly SafeFileHandle _socket;
    private readonly Epoll _epoll = Epoll.Create();
    private readonly EventFd _wake = EventFd.Create();
    private readonly Dictionary<ulong, ShimConnection> _connections = [];
    private readonly Dictionary<NetworkNamespaceId, int> _perContainer = [];
    private readonly ConcurrentQueue<ShimConnection> _closing = new();
    private readonly byte[] _incoming = GC.AllocateArray<byte>(ShimProtocol.MaximumMessage + 1, pinned: true);
    private readonly List<SafeFileHandle> _descriptors = [];
    private readonly Thread _thread;
    private ulong _nextId = WakeKey + 1;
    private volatile bool _stopping;

    // Given up for a moment when the router has no descriptor left, so that who comes can be told.
    private EventFd? _reserve = EventFd.Create();
    private bool _acceptsNobody;

    /// <param name="directory">Where sockets lie, as containers see it: made if missing.</param>
    /// <param name="name">The router's name (FFR_NAME): the socket is NAME.sock, and default.sock leads to it.</param>
    /// <param name="events">Who is told.</param>
    /// <param name="options">Bounds.</param>
    public ShimListener(string directory, string name, IShimListenerEvents events, ShimListenerOptions options)
    {
        _events = events;
        _options = options;
        _path = Path.Combine(directory, name + ".sock");
        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, (UnixFileMode)0b111_101_101);
        File.Delete(_path);
        _socket = UnixSocket.Listen(_path, Backlog);
        File.SetUnixFileMode(_path, (UnixFileMode)0b110_110_110);
        LinkDefault(directory, name);
        _epoll.Add(_socket, EpollEvents.In, ListenerKey);
        _epoll.Add(_wake.Handle, EpollEvents.In, WakeKey);
        _thread = new Thread(Run) { Name = "shim-listener", IsBackground = true };
    }

    /// <summary>Milliseconds, as all times of this class.</summary>
    private long Now => _options.Time.Milliseconds();

    public void Start() => _thread.Start();

    public void Dispose()
    {
        _stopping = true;
        _wake.Signal();
        if (_thread.IsAlive)
            _thread.Join();
        foreach (var connection in _connections.Values.ToArray())
            CloseNow(connection, "the router stops");
        _socket.Dispose();
        _reserve?.Dispose();
        File.Delete(_path);
        UnlinkDefault();
        _epoll.Dispose();
        _wake.Dispose();
    }

    internal void CloseSoon(ShimConnection connection)
    {
        _closing.Enqueue(connection);
        if (!_stopping)
            _wake.Signal();
    }

    /// <summary>Another router of this host may have taken the link over: it stays then.</summary>
    private void UnlinkDefault()
    {
        var link = new FileInfo(Path.Combine(Path.GetDirectoryName(_path)!, DefaultName + ".sock"));
        if (link.LinkTarget == Path.GetFileName(_path))
            link.Delete();
    }

    private static void LinkDefault(string directory, string name)
    {
        if (name == DefaultName)
            return;
        var temporary = Path.Combine(directory, $".{name}.link");
        File.Delete(temporary);
        File.CreateSymbolicLink(temporary, name + ".sock");
        File.Move(temporary, Path.Combine(directory, DefaultName + ".sock"), overwrite: true);
    }

    private void Run()
    {
        var ready = new EpollEvent[64];
        var nextTick = Now + TickMilliseconds;
        while (!_stopping)
        {
            var mustLookAgain = _connections.Count > 0 || _acceptsNobody;
            var count = _epoll.Wait(ready, mustLookAgain ? TickMilliseconds * 1_000_000L : -1);
            for (var i = 0; i < count; i++)
            {
                if (ready[i].Key == ListenerKey)
                    AcceptAll();
                else if (ready[i].Key == WakeKey)
                    _wake.Drain();
                else if (_connections.TryGetValue(ready[i].Key, out var connection))
                    ReceiveAll(connection);
            }

            while (_closing.TryDequeue(out var closing))
                CloseNow(closing, closing.CloseReason!);
            if (Now >= nextTick)
            {
                nextTick = Now + TickMilliseconds;
                CloseSilent();
                if (_acceptsNobody)
                    AcceptAgain();
            }
        }
    }

    private void AcceptAll()
    {
        while (true)
        {
            if (UnixSocket.Accept(_socket, out var errno) is { } socket)
            {
                if (!TryAdmit(socket, out var reason))
                    TurnAway(socket, reason);
            }
            else if (errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM or Errno.ENOBUFS)
            {
                if (!TryTurnAwayNext())
                    return;
            }
            else if (errno == Errno.EAGAIN)
            {
                return;
            }
        }
    }

    /// <summary>Says why, as far as the client listens, and closes.</summary>
    private void TurnAway(SafeFileHandle socket, string reason)
    {
        Span<byte> refusal = stackalloc byte[Marshal.SizeOf<ShimHeader>() + Marshal.SizeOf<ShimHelloReply>()];
        MemoryMarshal.Write(refusal, new ShimHeader
        {
            Magic = ShimProtocol.Magic,
            Type = ShimMessageType.Hello,
            Length = (uint)Marshal.SizeOf<ShimHelloReply>(),
            Error = Errno.ENOMEM,
            DescriptorPatch = ShimProtocol.NoDescriptor,
        });
        MemoryMarshal.Write(refusal[Marshal.SizeOf<ShimHeader>()..], new ShimHelloReply { Version = ShimProtocol.Version });
        UnixSocket.Send(socket, refusal, []);
        socket.Dispose();
        _events.Refused(reason);
    }

    /// <summary>Lets the next client know that there is no descriptor for it. False: not even for that, until the next tick.</summary>
    private bool TryTurnAwayNext()
    {
        _reserve?.Dispose();
        _reserve = null;
        var socket = UnixSocket.Accept(_socket, out var errno);
        if (socket is not null)
            TurnAway(socket, "the router has no descriptor left");
        if (socket is not null || errno == Errno.EAGAIN)
        {
            try
            {
                _reserve = EventFd.Create();
                return true;
            }
            catch (System.ComponentModel.Win32Exception)
            {
            }
        }

        // It would be told of the waiting client without end.
        _epoll.Remove(_socket);
        _acceptsNobody = true;
        return false;
    }

    private void AcceptAgain()
    {
        try
        {
            _reserve ??= EventFd.Create();
            _epoll.Add(_socket, EpollEvents.In, ListenerKey);
            _acceptsNobody = false;
        }
        catch (System.ComponentModel.Win32Exception)
        {
        }
    }

    private bool TryAdmit(SafeFileHandle socket, out string reason)
    {
        NetworkNamespace container;
        try
        {
            container = NetworkNamespace.OfSocket(socket);
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            reason = $"the kernel does not tell the client's network namespace: {error.Message}";
            return false;
        }

        var already = _perContainer.GetValueOrDefault(container.Id);
        if (_connections.Count >= _options.MaximumConnections || already >= _options.MaximumConnectionsPerContainer)
        {
            reason = $"container {container.Id} has {already} of at most {_options.MaximumConnectionsPerContainer} connections, all together {_connections.Count} of {_options.MaximumConnections}";
            container.Dispose();
            return false;
        }

        if (!MemoryHeadroom.Own.TryTake(MemoryHeadroom.ForAConnection))
        {
            reason = $"the router has no memory left for container {container.Id}";
            container.Dispose();
            return false;
        }

        reason = "";
        var id = _nextId++;
        var connection = new ShimConnection(this, (long)id, socket, container, NetworkNamespace.PeerPidOf(socket), Now);
        _connections.Add(id, connection);
        _perContainer[container.Id] = already + 1;
        _epoll.Add(socket, EpollEvents.In, id);
        _events.Connected(connection);
        return true;
    }

    private void ReceiveAll(ShimConnection connection)
    {
        while (connection.CloseReason is null)
        {
            var got = UnixSocket.Receive(connection.Socket, _incoming, _descriptors, out var isWithout);
            if (got == -Errno.EAGAIN)
                return;
            if (got <= 0)
            {
                CloseNow(connection, got == 0 ? "closed by the client" : $"receiving failed or the message was too long (errno {-got})");
                return;
            }

            connection.HasSpoken = true;
            var descriptors = _descriptors.ToArray();
            _descriptors.Clear();
            if (Malformed(got, descriptors.Length) is { } problem)
            {
                foreach (var descriptor in descriptors)
                    descriptor.Dispose();
                CloseNow(connection, problem);
                return;
            }

            var header = MemoryMarshal.Read<ShimHeader>(_incoming);
            if (isWithout)
            {
                // The sender has done nothing wrong.
                connection.Reply(new ShimReply(header.Type, header.Sequence, Errno.ENOMEM, Array.Empty<byte>()));
                continue;
            }

            var payload = _incoming.AsSpan(Marshal.SizeOf<ShimHeader>(), (int)header.Length).ToArray();
            _events.Received(connection, new ShimRequest(header.Type, header.Sequence, payload, descriptors));
        }
    }

    private string? Malformed(int bytes, int descriptors)
    {
        var head = Marshal.SizeOf<ShimHeader>();
        if (bytes < head)
            return $"malformed message: {bytes} bytes";
        if (bytes > ShimProtocol.MaximumMessage)
            return $"oversized message: {bytes} bytes";
        var header = MemoryMarshal.Read<ShimHeader>(_incoming);
        if (header.Magic != ShimProtocol.Magic)
            return $"malformed message: magic {header.Magic:x}";
        if (header.Type is < ShimMessageType.Hello or > ShimMessageType.Resolve)
            return $"malformed message: type {(ushort)header.Type}";
        if (header.Length != bytes - head)
            return $"malformed message: says {header.Length} bytes, has {bytes - head}";
        return descriptors > ShimProtocol.MaximumDescriptors ? $"malformed message: {descriptors} descriptors" : null;
    }

    private void CloseSilent()
    {
        var oldest = Now - (long)_options.HelloTimeout.TotalMilliseconds;
        foreach (var connection in _connections.Values.ToArray())
        {
            if (!connection.HasSpoken && connection.Since < oldest)
                CloseNow(connection, $"it said nothing for {_options.HelloTimeout.TotalSeconds} s");
        }
    }

    private void CloseNow(ShimConnection connection, string reason)
    {
        if (!_connections.Remove((ulong)connection.Id))
            return;
        var left = _perContainer[connection.Namespace.Id] - 1;
        if (left == 0)
            _perContainer.Remove(connection.Namespace.Id);
        else
            _perContainer[connection.Namespace.Id] = left;
        _epoll.Remove(connection.Socket);
        connection.CloseSocket();
        _events.Closed(connection, connection.CloseReason ?? reason);
    }
}
