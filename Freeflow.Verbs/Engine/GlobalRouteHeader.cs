using System.Buffers.Binary;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// The 40 bytes in front of every datagram in a receive buffer (<c>struct ibv_grh</c>). RoCE v2 has an IP header there: an IPv6 one as
/// it is, an IPv4 one in the last 20 bytes with zeros before it (InfiniBand specification, annex A17.4.5.2).
/// </summary>
internal static class GlobalRouteHeader
{
    public const int Size = 40;

    private const int Ipv4Start = 20;
    private const byte Udp = 17;
    private const byte UsualHopLimit = 64;
    private const ushort DontFragment = 0x4000;

    // UDP, BTH, DETH and ICRC; immediate data comes on top.
    private const int TransportBytes = 8 + 12 + 8 + 4;
    private const int ImmediateBytes = 4;

    /// <summary>Writes the header of a datagram with <paramref name="payload"/> bytes.</summary>
    public static void Write(Span<byte> header, in DatagramRoute route, int payload, bool withImmediate)
    {
        header = header[..Size];
        header.Clear();
        var length = TransportBytes + (withImmediate ? ImmediateBytes : 0) + ((payload + 3) & ~3);

        // The kernel takes the hop limit of a destination from its route, and that of a group from the address handle.
        var hops = route.IsMulticast ? route.HopLimit : UsualHopLimit;
        if (route.Remote.IsIpv4)
            WriteIpv4(header[Ipv4Start..], route, length, hops);
        else
            WriteIpv6(header, route, length, hops);
    }

    private static void WriteIpv4(Span<byte> header, in DatagramRoute route, int length, byte hops)
    {
        header[0] = 0x45;
        header[1] = route.TrafficClass;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(header.Length + length));
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], DontFragment);
        header[8] = hops;
        header[9] = Udp;
        route.Local.CopyIpv4To(header[12..]);
        route.Remote.CopyIpv4To(header[16..]);
        uint sum = 0;
        for (var i = 0; i < header.Length; i += sizeof(ushort))
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        sum = (sum & 0xffff) + (sum >> 16);
        sum += sum >> 16;
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], (ushort)~sum);
    }

    private static void WriteIpv6(Span<byte> header, in DatagramRoute route, int length, byte hops)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header, (6u << 28) | ((uint)route.TrafficClass << 20) | (route.FlowLabel & 0xfffff));
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)length);
        header[6] = Udp;
        header[7] = hops;
        route.Local.CopyTo(header[8..]);
        route.Remote.CopyTo(header[24..]);
    }
}
