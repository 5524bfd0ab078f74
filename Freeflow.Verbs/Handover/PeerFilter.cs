using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// The filter of all sockets that were accepted from one peer host at one local port. Its memory says for each of the peer's ports, by
/// its cookie, as which socket that connection was accepted; a connection from the same port comes in its place. The peer's address
/// and the local port are the program's own, so that connections of one peer's port to two local ports do not know each other.
/// </summary>
internal sealed class PeerFilter : IDisposable
{
    private const int Ports = 1 << 16;

    private readonly SharedMemory _cookies;

    private PeerFilter(SharedMemory cookies, SafeFileHandle program) => (_cookies, Program) = (cookies, program);

    public SafeFileHandle Program { get; }

    /// <summary>Null when the kernel refuses.</summary>
    public static PeerFilter? TryCreate(Ipv4 peer, int localPort)
    {
        if (Bpf.TryMapMemory(Ports * sizeof(ulong), out _) is not { } cookies)
            return null;
        if (Bpf.TryLoad(FilterProgram.Accepted(peer, localPort, cookies.Handle), out _) is { } program)
            return new PeerFilter(cookies, program);
        cookies.Dispose();
        return null;
    }

    /// <summary>Has the packets from a port of the peer's pass to one socket, and to no other.</summary>
    public void Pass(ushort peerPort, ulong cookie) =>
        Volatile.Write(ref MemoryMarshal.AsRef<ulong>(_cookies.Span((long)FilterProgram.Network(peerPort) * sizeof(ulong), sizeof(ulong))), cookie);

    /// <summary>Sockets that have it keep it.</summary>
    public void Dispose()
    {
        Program.Dispose();
        _cookies.Dispose();
    }
}
