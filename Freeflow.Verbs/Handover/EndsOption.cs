using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// The virtual addresses of a host socket, kept by the socket itself: whoever has it can tell them, after fork, exec and passing,
/// whatever has become of the router. They lie in an option that the kernel keeps for each socket and looks at in listeners only: TCP's
/// fast open key, 16 bytes (Linux 4.15). Its holder may change it, and
/// deceives nobody but itself.
/// </summary>
internal static class EndsOption
{
    /// <summary>FF_ENDS_MARK: tells it from a key.</summary>
    public const uint Mark = 0x46464c57;

    /// <summary>FF_ENDS_OPTION, TCP_FASTOPEN_KEY</summary>
    public const int Option = 33;

    /// <summary>0, or -errno.</summary>
    public static int Write(int socket, in VirtualEnds ends)
    {
        var value = new ShimEnds
        {
            Mark = Mark,
            Local = ends.Local.Network,
            Peer = ends.Peer.Network,
            LocalPort = ends.LocalPort,
            PeerPort = ends.PeerPort,
        };
        return HostSocket.SetTcpOption(socket, Option, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimEnds>(in value)));
    }
}
