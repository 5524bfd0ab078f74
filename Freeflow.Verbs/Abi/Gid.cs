using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Abi;

/// <summary>
/// A RoCE v2 GID: 16 bytes in network order, which are an IPv6 address or an IPv4-mapped one
/// (InfiniBand specification, annex A17).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Gid
{
    private readonly ulong _first;
    private readonly ulong _second;

    /// <summary>Reads a GID from 16 bytes in network order.</summary>
    public Gid(ReadOnlySpan<byte> bytes)
    {
        _first = MemoryMarshal.Read<ulong>(bytes);
        _second = MemoryMarshal.Read<ulong>(bytes[8..]);
    }

    private Gid(ulong first, ulong second) => (_first, _second) = (first, second);

    public bool IsZero => (_first | _second) == 0;

    /// <summary>Whether it is an IPv4-mapped address.</summary>
    public bool IsIpv4 => _first == 0 && (uint)_second == BinaryPrimitives.ReverseEndianness(0x0000ffffu);

    /// <summary>Whether it names a group: an IPv6 or IPv4-mapped multicast address.</summary>
    public bool IsMulticast => (byte)_first == 0xff || (IsIpv4 && ((byte)(_second >> 32) & 0xf0) == 0xe0);

    /// <summary>The four bytes of an IPv4-mapped address.</summary>
    public void CopyIpv4To(Span<byte> destination) => AsBytes(this)[12..].CopyTo(destination);

    /// <summary>The GID of an address; IPv4 becomes ::ffff:a.b.c.d.</summary>
    public static Gid FromAddress(IPAddress address) => new(address.MapToIPv6().GetAddressBytes());

    /// <summary>The same, without allocating.</summary>
    public static Gid FromIpv4(Interop.Ipv4 address) =>
        new(0, ((ulong)address.Network << 32) | BinaryPrimitives.ReverseEndianness(0x0000ffffu));

    /// <summary>The address of a GID; an IPv4-mapped one comes back as IPv4.</summary>
    public IPAddress ToAddress()
    {
        var address = new IPAddress(AsBytes(this));
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    public void CopyTo(Span<byte> destination) => AsBytes(this).CopyTo(destination);

    /// <summary>The form that sysfs and ibv_devinfo show: eight groups of four digits.</summary>
    public override string ToString()
    {
        var bytes = AsBytes(this);
        return string.Create(39, bytes.ToArray(), static (text, raw) =>
        {
            for (int group = 0, at = 0; group < 8; group++)
            {
                if (group > 0)
                    text[at++] = ':';
                for (var i = 0; i < 2; i++, at += 2)
                    raw[2 * group + i].TryFormat(text[at..], out _, "x2");
            }
        });
    }

    private static ReadOnlySpan<byte> AsBytes(in Gid gid) =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.AsRef(in gid), 1));
}
