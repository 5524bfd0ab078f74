using Freeflow.Actors.Serialization;

namespace Freeflow.Actors.Measuring;

/// <summary>How a router asks another one for the far end of a measurement. A router that does not know it says nothing.</summary>
public static class MeasuringProtocol
{
    /// <summary>To <see cref="MeasurerActor"/>; answered by <see cref="Ready"/> or <see cref="Refused"/>.</summary>
    /// <param name="Source">The asker's GID.</param>
    /// <param name="Destination">The GID here.</param>
    /// <param name="Qpn">The asker's QP.</param>
    /// <param name="Bytes">How large a WRITE is at most.</param>
    /// <param name="Seconds">How long it takes at most.</param>
    public sealed record Ask(byte[] Source, byte[] Destination, uint Qpn, int Bytes, int Seconds) : IClusterMessage;

    public sealed record Ready(uint Qpn, uint Key) : IClusterMessage;

    /// <summary>It is over. Who says so knows the key.</summary>
    public sealed record End(uint Qpn, uint Key) : IClusterMessage;

    public sealed record Refused(string Reason) : IClusterMessage;
}
