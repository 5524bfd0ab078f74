using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Freeflow.Verbs.Abi.ConnectionManager;

/// <summary>Families of addresses that the connection manager knows (linux/socket.h).</summary>
public enum RdmaAddressFamily : ushort
{
    None = 0,
    Inet = 2,
    Inet6 = 10,
    Ib = 27,
}

/// <summary>
/// An address as the connection manager's commands carry it: a <c>sockaddr_in</c>, <c>sockaddr_in6</c> or <c>sockaddr_ib</c>.
/// </summary>
/// <param name="Family">Which of them.</param>
/// <param name="Gid">The address; IPv4 as IPv4-mapped.</param>
/// <param name="ServiceId">The port of an IP address, in host order; the service id of an IB one.</param>
/// <param name="ServiceMask">Of an IB address: which bits of the service id are given.</param>
/// <param name="Scope">sin6_scope_id, sib_scope_id.</param>
public readonly record struct RdmaAddress(RdmaAddressFamily Family, Gid Gid, ulong ServiceId, ulong ServiceMask, ulong Scope)
{
    /// <summary>Bits of a service id that name the port space (RDMA_IB_IP_PS_MASK).</summary>
    public const ulong PortSpaceMask = 0xffffffffffff0000;

    /// <summary>Bytes of the largest of them, a <c>sockaddr_ib</c>.</summary>
    public const int MaximumSize = 48;

    private const int InetSize = 16;
    private const int Inet6Size = 28;
    private const ushort DefaultPkey = 0xffff;

    public ushort Port => (ushort)ServiceId;

    /// <summary>Bytes of the structure; 0 for no address.</summary>
    public int Size => SizeOf(Family);

    public bool IsAny => Family switch
    {
        RdmaAddressFamily.Inet => Gid == Mapped(IPAddress.Any),
        _ => Gid.IsZero,
    };

    public bool IsLoopback => Family != RdmaAddressFamily.Ib && IPAddress.IsLoopback(Gid.ToAddress());

    /// <summary>Whether it is that of an IP group.</summary>
    public bool IsMulticast
    {
        get
        {
            var address = Gid.ToAddress();
            return Family != RdmaAddressFamily.Ib && (address.IsIPv6Multicast || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] >> 4 == 0xe));
        }
    }

    /// <summary>An IP address's port as a service id of a port space; an IB address's own.</summary>
    public ulong ServiceIdIn(PortSpace space) => Family == RdmaAddressFamily.Ib ? ServiceId : ((ulong)space << 16) + Port;

    public RdmaAddress WithPort(ushort port) => this with { ServiceId = (ServiceId & PortSpaceMask) | port };

    /// <summary>The address that stands for every one of a family.</summary>
    public static RdmaAddress Any(RdmaAddressFamily family) =>
        new(family, family == RdmaAddressFamily.Inet ? Mapped(IPAddress.Any) : default, 0, 0, 0);

    public static int SizeOf(RdmaAddressFamily family) => family switch
    {
        RdmaAddressFamily.Inet => InetSize,
        RdmaAddressFamily.Inet6 => Inet6Size,
        RdmaAddressFamily.Ib => MaximumSize,
        _ => 0,
    };

    /// <summary>Reads one; false for another family, or where its bytes are not all there.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RdmaAddress address)
    {
        address = default;
        if (bytes.Length < sizeof(ushort))
            return false;
        var family = (RdmaAddressFamily)BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        var size = SizeOf(family);
        if (size == 0 || bytes.Length < size)
            return false;
        address = family switch
        {
            RdmaAddressFamily.Inet => new RdmaAddress(
                family, Mapped(new IPAddress(bytes.Slice(4, 4))), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), 0, 0),
            RdmaAddressFamily.Inet6 => new RdmaAddress(
                family, new Gid(bytes.Slice(8, 16)), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), 0, BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..])),
            _ => new RdmaAddress(
                family,
                new Gid(bytes.Slice(8, 16)),
                BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]),
                BinaryPrimitives.ReadUInt64BigEndian(bytes[32..]),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..])),
        };
        return true;
    }

    /// <summary>Writes the structure, <see cref="Size"/> bytes of it; nothing for no address.</summary>
    public void CopyTo(Span<byte> bytes)
    {
        if (Size == 0)
            return;
        bytes[..Size].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)Family);
        switch (Family)
        {
            case RdmaAddressFamily.Inet:
                BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], Port);
                Gid.ToAddress().GetAddressBytes().CopyTo(bytes[4..]);
                break;
            case RdmaAddressFamily.Inet6:
                BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], Port);
                Gid.CopyTo(bytes[8..]);
                BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], (uint)Scope);
                break;
            default:
                BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], DefaultPkey);
                Gid.CopyTo(bytes[8..]);
                BinaryPrimitives.WriteUInt64BigEndian(bytes[24..], ServiceId);
                BinaryPrimitives.WriteUInt64BigEndian(bytes[32..], ServiceMask);
                BinaryPrimitives.WriteUInt64LittleEndian(bytes[40..], Scope);
                break;
        }
    }

    private static Gid Mapped(IPAddress address) => Gid.FromAddress(address);
}
