using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// Filters that host sockets share, so that none has to be compiled for one: they look up whose packets pass. They and what they look
/// into live as long as a socket that has them, whatever becomes of the router; the next router makes its own.
/// <list type="bullet">
/// <item>Sockets that connect are bound to a port of their own, which they keep until they are gone (SOCK_BINDPORT_LOCK): memory
/// has, for each local port, whose packets pass.</item>
/// <item>Accepted ones share a port. There is a <see cref="PeerFilter"/> for each peer host and local port, up to a number; a table
/// for all others, which is slower, has an entry for each connection.</item>
/// </list>
/// </summary>
internal sealed class SharedFilters : IDisposable
{
    /// <summary>Peer hosts with filters of their own: 512 KiB each, for connections to AF_INET6 listeners as much again.</summary>
    public const int MostPeers = 64;

    private const int AttachProgramOption = 50;
    private const int Ports = 1 << 16;
    private const int MostInTable = 1 << 20; // 16 bytes each, and 48 of the kernel's, as they come

    private readonly SharedMemory _passesAt;
    private readonly SafeFileHandle _connecting;
    private readonly Dictionary<Ipv4, Dictionary<int, PeerFilter?>> _peers = [];
    private (SafeFileHandle Cookies, SafeFileHandle Program)? _table;
    private int _noTable; // -errno with which the kernel refused it

    private SharedFilters(SharedMemory passesAt, SafeFileHandle connecting) => (_passesAt, _connecting) = (passesAt, connecting);

    /// <summary>Peer hosts that have filters of their own now.</summary>
    public int Peers => _peers.Count;

    /// <summary>Null when the kernel refuses: EPERM without CAP_BPF, EINVAL before Linux 5.5.</summary>
    public static SharedFilters? TryCreate(out int error)
    {
        if (Bpf.TryMapMemory(Ports * sizeof(ulong), out error) is not { } passesAt)
            return null;
        if (Bpf.TryLoad(FilterProgram.Connecting(passesAt.Handle), out error) is { } connecting)
            return new SharedFilters(passesAt, connecting);
        passesAt.Dispose();
        return null;
    }

    /// <summary>A socket that is bound to a port and will connect; 0 or -errno.</summary>
    public int AttachToConnecting(int socket, int localPort, (Ipv4 Address, int Port) peer)
    {
        var passes = peer.Address.Network | ((ulong)FilterProgram.Network((ushort)peer.Port) << 32);
        Volatile.Write(ref MemoryMarshal.AsRef<ulong>(_passesAt.Span((long)localPort * sizeof(ulong), sizeof(ulong))), passes);
        return Attach(socket, _connecting);
    }

    /// <summary>A socket that was accepted; 0 or -errno (E2BIG: there are as many as there may be).</summary>
    public int AttachToAccepted(int socket, int localPort, (Ipv4 Address, int Port) peer)
    {
        if (FilterFor(peer.Address, localPort) is not { } filter)
            return AttachToTable(socket, localPort, peer);
        filter.Pass((ushort)peer.Port, HostSocket.CookieOf(socket));
        return Attach(socket, filter.Program);
    }

    /// <summary>A peer host is gone; its sockets keep its filters, another host may have them from now on.</summary>
    public void Forget(Ipv4 peer)
    {
        if (!_peers.Remove(peer, out var filters))
            return;
        foreach (var filter in filters.Values)
            filter?.Dispose();
    }

    public void Dispose()
    {
        foreach (var peer in _peers.Keys.ToArray())
            Forget(peer);
        _table?.Program.Dispose();
        _table?.Cookies.Dispose();
        _connecting.Dispose();
        _passesAt.Dispose();
    }

    private PeerFilter? FilterFor(Ipv4 peer, int localPort)
    {
        if (!_peers.TryGetValue(peer, out var filters))
        {
            if (_peers.Count == MostPeers)
                return null;
            _peers.Add(peer, filters = []);
        }

        // What the kernel refuses once is not asked for with each connection.
        if (!filters.TryGetValue(localPort, out var filter))
            filters.Add(localPort, filter = PeerFilter.TryCreate(peer, localPort));
        return filter;
    }

    private int AttachToTable(int socket, int localPort, (Ipv4 Address, int Port) peer)
    {
        if (_noTable != 0)
            return _noTable;
        _table ??= TryMakeTable(out _noTable);
        if (_table is not { } table)
            return _noTable;
        var key = peer.Address.Network | ((ulong)FilterProgram.Network((ushort)peer.Port) << 32) | ((ulong)(ushort)localPort << 48);
        var result = Bpf.Update(table.Cookies, key, HostSocket.CookieOf(socket));
        return result < 0 ? result : Attach(socket, table.Program);
    }

    private static (SafeFileHandle Cookies, SafeFileHandle Program)? TryMakeTable(out int refused)
    {
        var cookies = Bpf.TryCreateHash(MostInTable, out var error);
        var program = cookies is null ? null : Bpf.TryLoad(FilterProgram.AcceptedFromAnybody(cookies), out error);
        refused = -error;
        if (program is not null)
            return (cookies!, program);
        cookies?.Dispose();
        return null;
    }

    private static int Attach(int socket, SafeFileHandle program)
    {
        var descriptor = (int)program.DangerousGetHandle();
        return HostSocket.SetOption(socket, AttachProgramOption, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in descriptor)));
    }
}
