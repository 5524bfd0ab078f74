using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>An IPv4 address as the four bytes that are in memory and on the wire, read as one number.</summary>
public readonly record struct Ipv4(uint Network)
{
    /// <summary>The number that its text stands for: 10.0.0.1 is 0x0a000001.</summary>
    public uint Value => BinaryPrimitives.ReverseEndianness(Network);

    /// <summary>Null for a true IPv6 address.</summary>
    public static Ipv4? From(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetwork)
            return null;
        Span<byte> bytes = stackalloc byte[4];
        return address.TryWriteBytes(bytes, out _) ? new Ipv4(MemoryMarshal.Read<uint>(bytes)) : null;
    }

    public IPAddress ToIPAddress() => new(Network);

    public override string ToString() => ToIPAddress().ToString();
}
