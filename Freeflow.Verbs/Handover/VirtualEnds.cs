using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>The two ends of a connection as one of its applications sees them.</summary>
public readonly record struct VirtualEnds(Ipv4 Local, ushort LocalPort, Ipv4 Peer, ushort PeerPort)
{
    public VirtualEnds Reversed => new(Peer, PeerPort, Local, LocalPort);

    public override string ToString() => $"{Local}:{LocalPort} to {Peer}:{PeerPort}";
}
