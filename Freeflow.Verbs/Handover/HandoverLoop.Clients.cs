using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

// Processes that connect: what they are told of destinations, and the sockets that they get.
public sealed partial class HandoverLoop
{
    private const int NotesPerTurn = 256;

    private readonly Dictionary<ListenerKey, List<Route>> _routes = [];
    private readonly List<HandoverContainer> _containers = [];
    private readonly Dictionary<ushort, (HandoverProcess Process, uint Number)> _givenHere = []; // to containers that connect to this host, by host port
    private readonly byte[] _noteBuffer = GC.AllocateArray<byte>(256, pinned: true);

    /// <summary>A container's addresses are these now.</summary>
    public void SetAddresses(HandoverContainer container, IReadOnlyCollection<Ipv4> addresses) => Post(() =>
    {
        if (!_containers.Contains(container))
            _containers.Add(container);
        container.Addresses = [.. addresses];
        Publish(container);
        Review(container);
    });

    /// <summary>A container is gone.</summary>
    public void Remove(HandoverContainer container) => Post(() =>
    {
        _containers.Remove(container);
        container.Addresses = [];
        Publish(container);
        Review(container);
        container.Dispose();
    });

    /// <summary>A process has shown to be privileged; so its container gets no host sockets from now on.</summary>
    public void Distrust(HandoverContainer container) => Post(() =>
    {
        container.IsPrivileged = true;
        Review(container);
    });

    public void Attach(HandoverProcess process) => Post(() =>
    {
        process.Key = _nextKey++;
        process.Container.Processes.Add(process);
        _sources.Add(process.Key, process);
        _epoll.Add(process.Handle, EpollEvents.In, process.Key);
        Statistics.Processes++;
    });

    /// <summary>Takes a process out, and disposes it.</summary>
    public void Detach(HandoverProcess process) => Post(() => DetachNow(process));

    /// <summary>A destination for a process; <paramref name="done"/> gets its route and word, or null when it asks for nonsense.</summary>
    public void Resolve(HandoverProcess process, ShimResolve request, Action<ShimResolved?> done) => Post(() => done(Resolve(process, request)));

    private void DetachNow(HandoverProcess process)
    {
        if (!_sources.Remove(process.Key))
            return;
        _epoll.Remove(process.Handle);
        foreach (var route in process.Routes)
            Unlist(route);
        foreach (var (number, given) in process.Given)
            Forget(process, number, given);
        process.Container.Processes.Remove(process);
        LookAtListeners(process.Container, Now);
        process.Dispose();
        Statistics.Processes--;
    }

    private ShimResolved? Resolve(HandoverProcess process, in ShimResolve request)
    {
        var isNew = request.Replace == uint.MaxValue;
        var index = isNew ? (uint)process.Routes.Count : request.Replace;
        if (!_sources.ContainsKey(process.Key) || request.Port is 0 or > ushort.MaxValue
            || index >= HandoverProcess.MaximumRoutes || (!isNew && index >= process.Routes.Count))
        {
            Statistics.Misused++;
            return null;
        }

        var replaced = isNew ? null : process.Routes[(int)index];
        var destination = new Destination(new Ipv4(request.Destination), (int)request.Port);
        var route = new Route(process, index, destination, new Ipv4(request.Source), replaced?.Generation ?? 0);
        if (replaced is null)
        {
            process.Routes.Add(route);
        }
        else
        {
            Unlist(replaced);
            process.Routes[(int)index] = route;
        }

        if (!_routes.TryGetValue(route.Key, out var same))
            _routes.Add(route.Key, same = []);
        same.Add(route);
        Review(route);
        if (route.Reason != PlainReason.None)
        {
            Statistics.CountPlain(route.Reason);
            process.Container.Plain++;
        }

        return new ShimResolved { Route = index, Word = route.Word, Flags = Learns(destination) ? RouteFlags.Learns : RouteFlags.None };
    }

    private void Unlist(Route route)
    {
        if (_routes.TryGetValue(route.Key, out var same) && same.Remove(route) && same.Count == 0)
            _routes.Remove(route.Key);
    }

    private void ReviewAll()
    {
        foreach (var route in _routes.Values.SelectMany(same => same).ToArray())
            Review(route);
    }

    private void Review(HandoverContainer container)
    {
        foreach (var process in container.Processes)
            process.Routes.ForEach(Review);
    }

    private void Review(ListenerKey key)
    {
        if (_routes.TryGetValue(key, out var same))
            same.ForEach(Review);
    }

    /// <summary>Makes a route's word true.</summary>
    private void Review(Route route)
    {
        var reason = Judge(route.Process.Container, route.Source, route.Destination, out var peer, out var listener);
        if (route.Become(reason, peer, listener.IsIpv6, route.Process.Container.Pacing))
            route.Process.Publish(route);
    }

    /// <summary>Why a connection would be plain: the first of these that applies. <see cref="TcpVerdict"/> tells them in this order.</summary>
    private PlainReason Judge(HandoverContainer container, Ipv4 source, Destination destination, out HandoverPeer? peer, out ListenerState listener)
    {
        (peer, listener) = (null, default);
        var (address, port) = destination;
        if (_options.HostAddress is null)
            return PlainReason.Underlay;
        if (_isDraining)
            return PlainReason.Draining;
        if (container.IsPrivileged)
            return PlainReason.Privileged;
        if (IsListed(_options.Never, destination) || (_options.Mode == AccelerationMode.Never && !IsListed(_options.Always, destination)))
            return PlainReason.Configured;
        if (container.Addresses.Contains(address))
            return PlainReason.OwnAddress;
        if (!container.Addresses.Contains(source))
            return PlainReason.Source;
        if (_owners.OwnerOf(container.Tenant.Key, address) is not { } owner)
            return PlainReason.NoOwner;
        if (!_peers.TryGetValue(owner, out peer) || !peer.IsReachable)
            return PlainReason.Unreachable;
        if (!peer.Listeners.TryGetValue(new ListenerKey(container.Tenant.Key, address, (ushort)port), out listener))
            return PlainReason.NoListener;
        if (!_policy.Allows(container.Tenant.Key, source, container.Tenant.Key, address, (ushort)port))
            return PlainReason.Policy;
        if (listener.IsBusy)
            return PlainReason.Busy;
        return IsLearntShort(container, destination) ? PlainReason.Short : PlainReason.None;
    }

    private static bool IsListed(IReadOnlySet<Destination> list, Destination destination) =>
        list.Count > 0 && (list.Contains(destination) || list.Contains(destination with { Port = 0 }));

    private void ReadNotes(HandoverProcess process)
    {
        for (var i = 0; i < NotesPerTurn; i++)
        {
            var got = HostSocket.Receive(process.Socket, _noteBuffer);
            if (got == -Errno.EAGAIN)
                return;
            if (got <= 0)
            {
                // A process that ends with sockets unread resets its end.
                DetachNow(process);
                _events.ProcessEnded(process, got is 0 or -Errno.ECONNRESET ? "closed by the process" : $"receiving failed (errno {-got})");
                return;
            }

            if (got != Marshal.SizeOf<ShimNote>() || !Take(process, MemoryMarshal.Read<ShimNote>(_noteBuffer)))
            {
                Statistics.Misused++;
                DetachNow(process);
                _events.ProcessEnded(process, "a note that makes no sense");
                return;
            }
        }
    }

    private bool Take(HandoverProcess process, in ShimNote note)
    {
        var route = note.Route < (uint)process.Routes.Count ? process.Routes[(int)note.Route] : null;
        switch (note.Type)
        {
            case NoteType.Want when route is not null:
                Want(process, route, note);
                return true;
            case NoteType.Connect when route is not null:
                Connect(process, note);
                return true;
            case NoteType.Flow when route is not null:
                Learn(process.Container, route.Destination, note);
                return true;
            case NoteType.Drop:
                if (process.TryTake(note.Socket, out var dropped))
                    Forget(process, note.Socket, dropped);
                return true;
            case NoteType.Plain:
                Statistics.CountPlain((PlainReason)Math.Min(note.Socket, byte.MaxValue));
                process.Container.Plain++;
                return true;
            default:
                return false;
        }
    }

    private void Want(HandoverProcess process, Route route, in ShimNote note)
    {
        var now = Now;
        process.DiscountStale(now);
        if ((note.Flags & NoteFlags.Bound) != 0)
        {
            var source = new Ipv4(note.Address);
            if (process.Container.Addresses.Contains(source))
                Give(route, 1, note.Flags & (NoteFlags.Ipv6 | NoteFlags.Bound), source, (ushort)note.Port, now);
            else
                Refuse(route, note.Flags, PlainReason.Source);
            return;
        }

        route.Outstanding = 0;
        route.WantsIpv6 = (note.Flags & NoteFlags.Ipv6) != 0;
        Give(route, route.ToSendAtOnce, note.Flags & NoteFlags.Ipv6, route.Source, 0, now);
    }

    /// <summary>Answers a process that has asked for sockets.</summary>
    private void Give(Route route, int count, NoteFlags flags, Ipv4 source, ushort sourcePort, long now)
    {
        var reason = TryGive(route, count, flags, source, sourcePort, now);
        if (reason == PlainReason.None)
            return;

        // Other reasons are the route's, and counted with its first look.
        if (reason is PlainReason.NoPorts or PlainReason.Limit)
            Statistics.CountPlain(reason);
        Refuse(route, flags, reason);
    }

    /// <summary>Makes host sockets for a route, as many as there can be, and sends them to its process; why there is none.</summary>
    private PlainReason TryGive(Route route, int count, NoteFlags flags, Ipv4 source, ushort sourcePort, long now)
    {
        var process = route.Process;
        if (route.Reason != PlainReason.None)
            return route.Reason;
        if (process.Container.IsGone)
            return PlainReason.Source;
        count = (int)Math.Min(Math.Min(count, _options.SocketsPerContainer - process.Container.SocketsOut), process.Container.RoomForFlows);
        if (count <= 0)
            return PlainReason.Limit;
        var peer = route.Peer!;
        var endpointPort = peer.EndpointFor(route.IsIpv6Listener);
        var message = new ShimSockets
        {
            Route = route.Index,
            Generation = route.Generation,
            Flags = flags,
            Endpoint = peer.Address.Network,
            EndpointPort = (uint)endpointPort,
        };
        Span<int> sockets = stackalloc int[HostSocket.MaximumDescriptors];
        var isHere = peer == _own;
        if (isHere)
            message.Flags |= NoteFlags.Here;
        var made = 0;
        while (made < count)
        {
            var rate = Pacer.FirstRate(process.Container, process.Container.SocketsOut);
            var socket = MakeSocket(route, flags, endpointPort, source, sourcePort, rate, out var ends, out var hostPort);
            if (socket < 0)
                break;
            sockets[made] = socket;
            var given = new GivenSocket(route, peer, endpointPort, route.IsIpv6Listener, hostPort, ends, HostSocket.CookieOf(socket), now, rate);
            var number = process.Give(given);
            if (isHere)
                _givenHere[hostPort] = (process, number);
            message.Numbers[made++] = number;
        }

        if (made == 0)
            return PlainReason.NoPorts;
        message.Count = (uint)made;
        message.Handover = process.Container.Handovers.Begin();
        var sent = HostSocket.Send(process.Socket, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimSockets>(in message)), sockets[..made]);
        FaultPoint.Pass(FaultPoint.SocketsSent);
        for (var i = 0; i < made; i++)
        {
            HostSocket.Close(sockets[i]);
            if (sent < 0 && process.TryTake(message.Numbers[i], out var unsent))
                Forget(process, message.Numbers[i], unsent);
        }

        process.Container.Handovers.LetGo();

        // A process that does not read gets no answer.
        if (sent < 0)
            return PlainReason.None;
        Statistics.SocketsIssued += made;
        if ((flags & NoteFlags.Bound) == 0)
            route.Outstanding += made;
        FaultPoint.Pass(FaultPoint.SocketsGiven);
        return PlainReason.None;
    }

    /// <summary>A socket, bound and locked; or a negative number.</summary>
    private int MakeSocket(
        Route route, NoteFlags flags, int endpointPort, Ipv4 source, ushort sourcePort, long rate, out VirtualEnds ends, out ushort hostPort)
    {
        var isIpv6 = (flags & NoteFlags.Ipv6) != 0;
        ends = default;
        hostPort = 0;
        var socket = HostSocket.Open(isIpv6);
        if (socket < 0)
            return socket;
        hostPort = (ushort)_ports.Bind(socket, isIpv6, _host);

        // The application's own choice of port, or the host's: no other connection from here to there has it.
        ends = new VirtualEnds(source, sourcePort != 0 ? sourcePort : hostPort, route.Destination.Address, (ushort)route.Destination.Port);
        Pace(socket, rate);
        if (hostPort != 0 && _lock.Connecting(socket, hostPort, (route.Peer!.Address, endpointPort), ends) >= 0)
            return socket;
        HostSocket.Close(socket);
        return -1;
    }

    /// <summary>The kernel holds a connection to the rate, until <see cref="Pacer"/> has it set another.</summary>
    private static void Pace(int socket, long rate)
    {
        const int maximumPacingRate = 47;
        if (rate > 0)
            _ = HostSocket.SetOption(socket, maximumPacingRate, BitConverter.GetBytes(rate));
    }

    private static void Refuse(Route route, NoteFlags flags, PlainReason reason)
    {
        var message = new ShimSockets { Route = route.Index, Generation = route.Generation, Flags = flags, Reason = (uint)reason };
        _ = HostSocket.Send(route.Process.Socket, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimSockets>(in message)), []);
    }

    private void Connect(HandoverProcess process, in ShimNote note)
    {
        FaultPoint.Pass(FaultPoint.ConnectNoted);
        if (!process.TryTake(note.Socket, out var given))
        {
            // Never given, or given and used already.
            Statistics.Misused++;
            return;
        }

        Forget(process, note.Socket, given);
        var now = Now;
        var (ends, tenant) = (given.Ends, process.Container.Tenant.Key);
        if (!_policy.Allows(tenant, ends.Local, tenant, ends.Peer, ends.PeerPort))
        {
            // Given while that was allowed. What nobody announces is closed where it comes to.
            Statistics.Refused++;
            return;
        }

        Announce(process.Container, given, now);
        Begin(process, given, now);
        if ((note.Flags & NoteFlags.Sample) != 0)
            Learn(process.Container, given.Route.Destination, note);
    }

    /// <summary>
    /// A connection to this router's own endpoint from one of the sockets that it has given itself: nobody had to announce it. No one
    /// else can have the port: a socket that is closed unused is said to be (<see cref="NoteType.Drop"/>), or its process has ended.
    /// </summary>
    private bool IsOwn(ushort hostPort, out Announcement announcement)
    {
        announcement = default;
        if (!_givenHere.Remove(hostPort, out var entry) || !entry.Process.TryTake(entry.Number, out var given))
            return false;
        var now = Now;
        announcement = new Announcement(_own, entry.Process.Container.Tenant.Key, given.Ends, given.IsIpv6Listener, now);
        Begin(entry.Process, given, now);
        return true;
    }

    /// <summary>A socket that will not come to this router's endpoint; another may have its port by now.</summary>
    private void Forget(HandoverProcess process, uint number, in GivenSocket given)
    {
        if (_givenHere.TryGetValue(given.HostPort, out var entry) && entry == (process, number))
            _givenHere.Remove(given.HostPort);
    }

    /// <summary>What follows from a connection that has begun, or is about to.</summary>
    private void Begin(HandoverProcess process, in GivenSocket given, long now)
    {
        Statistics.Announced++;
        process.Container.Announced++;
        _begun++;
        _events.Announced(new AnnouncedFlow(process.Container, given.Ends, given.HostPort, given.Peer.Address, given.EndpointPort, given.Cookie));
        Pacer.Add(process.Container, given.Cookie, given.Rate);
        var route = given.Route;
        route.Outstanding = Math.Max(0, route.Outstanding - 1);
        if (route.ToSend(now) is > 0 and var more)
            _ = TryGive(route, more, route.WantsIpv6 ? NoteFlags.Ipv6 : NoteFlags.None, route.Source, 0, now);
    }
}
