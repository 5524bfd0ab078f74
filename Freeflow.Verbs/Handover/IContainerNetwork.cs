namespace Freeflow.Verbs.Handover;

/// <summary>What TCP mode asks of a container's own network, whose sockets the kernel knows best. Any thread, one call at a time of each kind.</summary>
public interface IContainerNetwork : IDisposable
{
    /// <summary>Whether a socket is there and listens, whoever has it; true where that can't be known.</summary>
    bool IsListening(ListeningSocket listener);

    /// <summary>Whether a plain connection has been accepted; null when there is none any more, false also where that can't be known.</summary>
    /// <param name="ends">As its server, in this container, sees them.</param>
    bool? IsAccepted(in VirtualEnds ends);

    /// <summary>Begins a plain connection, as a process in the container would; a non-blocking descriptor, or -errno.</summary>
    /// <param name="ends">As its client, in this container, sees them. Where the port is in use it gets another.</param>
    int Connect(in VirtualEnds ends);
}
