using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>A router as TCP mode sees it, this one among them: where its endpoint is, and what listens there.</summary>
internal sealed class HandoverPeer(int number, Ipv4 address)
{
    /// <summary>As the control plane numbers peers.</summary>
    public int Number { get; } = number;

    public Ipv4 Address { get; } = address;

    public int Port { get; set; }

    public int Ipv6Port { get; set; }

    public Dictionary<ListenerKey, ListenerState> Listeners { get; } = [];

    /// <summary>Null for this router itself, and while there is no connection.</summary>
    public HandoverLink? Link { get; set; }

    /// <summary>Whether it has said where its endpoint is.</summary>
    public bool IsReachable => Port != 0;

    public int EndpointFor(bool ipv6Listener) => ipv6Listener ? Ipv6Port : Port;

    public void Lose()
    {
        Link = null;
        Port = Ipv6Port = 0;
        Listeners.Clear();
    }
}
