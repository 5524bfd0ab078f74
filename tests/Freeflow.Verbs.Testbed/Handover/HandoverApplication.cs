using System.Net;
using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>A program that connects: it does by hand what Freeflow.Shim/routes.c and session.c do with the note socket.</summary>
public sealed class HandoverApplication : IDisposable
{
    public const uint NoRoute = uint.MaxValue;

    private static readonly TimeSpan s_bound = WaitFor.Scaled(TimeSpan.FromSeconds(10));

    private readonly HandoverSite _site;
    private readonly SafeFileHandle _notes;
    private readonly SafeFileHandle _words;
    private readonly Dictionary<uint, List<(HandedSocket Socket, uint Generation, NoteFlags Flags)>> _stock = [];

    public HandoverApplication(HandoverSite site, HandoverContainer container)
    {
        _site = site;
        Process = new HandoverProcess(container);
        _notes = StreamSocket.Duplicate(Process.NoteSocket);
        _words = StreamSocket.Duplicate(Process.RouteMemory);
        Process.NoteSocket.Dispose();
        site.Loop.Attach(Process);
    }

    public HandoverProcess Process { get; }

    /// <summary>Whether the router has ended its TCP mode.</summary>
    public bool HasEnded => _site.EndedProcesses.Contains(Process);

    /// <summary>Asks for a destination; its route.</summary>
    public uint Resolve(string destination, int port, string source = HandoverPair.ClientAddress, uint replace = NoRoute) =>
        TryResolve(destination, port, source, replace)?.Route ?? throw new InvalidOperationException($"no route to {destination}:{port}");

    /// <summary>Null when the router finds no sense in it.</summary>
    public ShimResolved? TryResolve(string destination, int port, string source = HandoverPair.ClientAddress, uint replace = NoRoute)
    {
        var request = new ShimResolve
        {
            Destination = Addresses.Of(destination).Network,
            Port = (uint)port,
            Source = Addresses.Of(source).Network,
            Replace = replace,
        };
        ShimResolved? answer = null;
        using var done = new ManualResetEventSlim();
        _site.Loop.Resolve(Process, request, resolved =>
        {
            answer = resolved;
            done.Set();
        });
        return done.Wait(s_bound) ? answer : throw new TimeoutException("no answer to a destination");
    }

    /// <summary>What the route memory says now.</summary>
    public RouteWord Word(uint route)
    {
        Span<byte> word = stackalloc byte[sizeof(uint)];
        RandomAccess.Read(_words, word, route * sizeof(uint));
        return new RouteWord(MemoryMarshal.Read<uint>(word));
    }

    /// <summary>Waits until a route is plain for a reason; <see cref="PlainReason.None"/>: until it is accelerated.</summary>
    public RouteWord Await(uint route, PlainReason reason)
    {
        WaitFor.That($"{reason} of route {route}", () => Word(route).Reason == reason && Word(route).Verdict != 0, () => $"{Word(route)}");
        return Word(route);
    }

    public void Tell(in ShimNote note) => Tell(MemoryMarshal.AsBytes(new ReadOnlySpan<ShimNote>(in note)));

    public void Tell(ReadOnlySpan<byte> note) => UnixSocket.Send(_notes, note, []);

    /// <summary>What the router has sent next; null when that is nothing.</summary>
    public SocketLot? TryReceive()
    {
        Span<byte> bytes = stackalloc byte[256];
        List<SafeFileHandle> descriptors = [];
        var got = UnixSocket.Receive(_notes, bytes, descriptors, out _);
        if (got <= 0)
            return null;
        var message = MemoryMarshal.Read<ShimSockets>(bytes);
        if (got != Marshal.SizeOf<ShimSockets>() || descriptors.Count != message.Count)
            throw new InvalidDataException($"{got} bytes with {descriptors.Count} descriptors for {message.Count} sockets");
        var endpoint = new IPEndPoint(new Ipv4(message.Endpoint).ToIPAddress(), (int)message.EndpointPort);
        return new SocketLot(message, [.. descriptors.Select((descriptor, i) => new HandedSocket(descriptor, message.Numbers[i], endpoint))]);
    }

    /// <summary>Asks for sockets, and waits for them.</summary>
    public SocketLot Want(uint route, NoteFlags flags = NoteFlags.None, string? address = null, int port = 0)
    {
        Tell(new ShimNote
        {
            Type = NoteType.Want,
            Flags = flags,
            Route = route,
            Address = address is null ? 0 : Addresses.Of(address).Network,
            Port = (uint)port,
        });
        return WaitFor.Answer("sockets for a route", TryReceive);
    }

    /// <summary>Says that a socket is about to connect.</summary>
    public void Announce(uint route, uint number) => Tell(new ShimNote { Type = NoteType.Connect, Route = route, Socket = number });

    /// <summary>The same, until the router has done what it does then: what it sends ahead has been sent.</summary>
    public void AnnounceAndWait(uint route, uint number)
    {
        var before = _site.Flows.Count;
        Announce(route, number);
        WaitFor.That("an announcement", () => _site.Flows.Count > before);
    }

    /// <summary>A socket for a connection: from what is in stock, from what has come by itself, or asked for. Throws with the reason when there is none.</summary>
    public HandedSocket Take(uint route, NoteFlags flags = NoteFlags.None)
    {
        var stock = _stock.TryGetValue(route, out var held) ? held : _stock[route] = [];
        while (TryReceive() is { } lot)
            Put(lot);
        stock.RemoveAll(entry => entry.Generation != Word(route).Generation || entry.Flags != flags);
        if (stock.Count == 0)
            Put(Want(route, flags));
        var socket = stock[0].Socket;
        stock.RemoveAt(0);
        return socket;
    }

    /// <summary>Asks for sockets, and waits for the answer that there are none.</summary>
    public PlainReason Refusal(uint route, NoteFlags flags = NoteFlags.None)
    {
        var lot = Want(route, flags);
        while (lot.Sockets.Count > 0)
        {
            lot.Dispose();
            lot = WaitFor.Answer("a refusal", TryReceive);
        }

        return lot.Reason;
    }

    /// <summary>A connection, from taking a socket to connect().</summary>
    public HandedSocket Connect(uint route, NoteFlags flags = NoteFlags.None)
    {
        var socket = Take(route, flags);
        AnnounceAndWait(route, socket.Number);
        socket.Connect();
        return socket;
    }

    /// <summary>Says that a connection of the route has ended.</summary>
    public void EndFlow(uint route, long bytes, int milliseconds) => Tell(new ShimNote
    {
        Type = NoteType.Flow,
        Route = route,
        Bytes = (ulong)bytes,
        Milliseconds = (uint)milliseconds,
    });

    /// <summary>Ends as a process that is killed.</summary>
    public void Dispose()
    {
        foreach (var entry in _stock.Values.SelectMany(stock => stock))
            entry.Socket.Dispose();
        _notes.Dispose();
        _words.Dispose();
    }

    private void Put(SocketLot lot)
    {
        if (lot.Sockets.Count == 0)
            throw new InvalidOperationException($"no sockets: {lot.Reason}");
        foreach (var socket in lot.Sockets)
            _stock[lot.Message.Route].Add((socket, lot.Message.Generation, lot.Message.Flags));
    }
}

/// <summary>A route's word (FF_ROUTE_* of protocol.h).</summary>
public readonly record struct RouteWord(uint Value)
{
    /// <summary>1: plain, 2: accelerated; 0: nobody has asked.</summary>
    public uint Verdict => Value & 0xff;

    public PlainReason Reason => (PlainReason)(Value >> 8 & 0xff);

    public uint Generation => Value >> 16;

    public override string ToString() => $"{(Verdict == 2 ? "accelerated" : $"plain for {Reason}")}, generation {Generation}";
}

/// <summary>Sockets as they come from the router: several, one, or none and the reason.</summary>
public sealed record SocketLot(ShimSockets Message, IReadOnlyList<HandedSocket> Sockets) : IDisposable
{
    public HandedSocket Only => Sockets.Count == 1 ? Sockets[0] : throw new InvalidOperationException($"{Sockets.Count} sockets, {Reason}");

    public PlainReason Reason => (PlainReason)Message.Reason;

    public void Dispose()
    {
        foreach (var socket in Sockets)
            socket.Dispose();
    }
}
