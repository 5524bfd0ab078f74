using System.Buffers.Binary;
using System.Net;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Policy;

/// <summary>Addresses with a prefix in common; those of IPv4 as the IPv6 addresses that stand for them.</summary>
public readonly record struct AddressRange
{
    private const int AddressBits = 128;
    private const int Ipv4Bits = 32;

    private readonly UInt128 _first;
    private readonly UInt128 _mask;

    private AddressRange(UInt128 first, int bits)
    {
        _mask = bits == 0 ? 0 : UInt128.MaxValue << (AddressBits - bits);
        (_first, Bits) = (first & _mask, bits);
    }

    /// <summary>Of the prefix, of 128.</summary>
    public int Bits { get; }

    /// <summary>A network as it is written out; one with host bits set comes back without them.</summary>
    public static AddressRange Of(IPAddress network, int prefix) =>
        new(NumberOf(Gid.FromAddress(network)), network.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? prefix + AddressBits - Ipv4Bits : prefix);

    public bool Contains(in Gid address) => (NumberOf(address) & _mask) == _first;

    public bool Overlaps(in AddressRange other)
    {
        var common = _mask & other._mask;
        return (_first & common) == (other._first & common);
    }

    /// <summary>Whether that is the network's first address.</summary>
    public bool BeginsWith(IPAddress address) => NumberOf(Gid.FromAddress(address)) == _first;

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[AddressBits / 8];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, _first);
        var gid = new Gid(bytes);
        var isIpv4 = gid.IsIpv4 && Bits >= AddressBits - Ipv4Bits;
        var prefix = isIpv4 ? Bits - AddressBits + Ipv4Bits : Bits;
        return prefix == (isIpv4 ? Ipv4Bits : AddressBits) ? $"{gid.ToAddress()}" : $"{gid.ToAddress()}/{prefix}";
    }

    private static UInt128 NumberOf(in Gid gid)
    {
        Span<byte> bytes = stackalloc byte[AddressBits / 8];
        gid.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
