using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Underlay;

/// <summary>Picks the hosts of one network out of rtnetlink messages.</summary>
internal sealed class HostTableReader(IPNetwork prefix)
{
    private const int HeadBytes = 12; // of struct ndmsg and of struct rtmsg
    private const int Ipv4 = 2, Ipv6 = 10;

    private readonly List<IPAddress> _hosts = [];
    private readonly HashSet<IPAddress> _seen = [];

    /// <summary>In the order in which they were found.</summary>
    public IReadOnlyList<IPAddress> Hosts => _hosts;

    public void Take(ushort type, ReadOnlySpan<byte> body)
    {
        if (body.Length < HeadBytes)
            return;
        if (type == RouteNetlink.NewNeighbour)
            TakeNeighbour(body);
        else if (type == RouteNetlink.NewRoute)
            TakeRoute(body);
    }

    /// <summary>
    /// <c>struct ndmsg</c>: the state at 8. An entry of a forwarding table is one as well; a tunnel's says which host it leads to.
    /// </summary>
    private void TakeNeighbour(ReadOnlySpan<byte> body)
    {
        const ushort destination = 1; // NDA_DST
        const ushort incomplete = 0x01, failed = 0x20;
        if ((BinaryPrimitives.ReadUInt16LittleEndian(body[8..]) & (incomplete | failed)) != 0)
            return;
        var attributes = body[HeadBytes..];
        while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
        {
            if (type == destination)
                Add(value);
        }
    }

    /// <summary><c>struct rtmsg</c>: the type at 7. Next hops, of all that a route has.</summary>
    private void TakeRoute(ReadOnlySpan<byte> body)
    {
        const byte unicast = 1;
        const ushort multipath = 9; // RTA_MULTIPATH
        if (body[7] != unicast)
            return;
        var attributes = body[HeadBytes..];
        while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
        {
            if (type == multipath)
                TakeHops(value);
            else
                TakeGateway(type, value);
        }
    }

    /// <summary>A list of <c>struct rtnexthop</c>: its length at 0, its attributes at 8.</summary>
    private void TakeHops(ReadOnlySpan<byte> hops)
    {
        const int head = 8;
        while (hops.Length >= head)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(hops);
            if (length < head || length > hops.Length)
                return;
            var attributes = hops[head..length];
            while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
                TakeGateway(type, value);
            hops = hops[Math.Min(hops.Length, (length + 3) & ~3)..];
        }
    }

    private void TakeGateway(ushort type, ReadOnlySpan<byte> value)
    {
        const ushort gateway = 5, via = 18; // RTA_GATEWAY; RTA_VIA, whose address follows its family
        if (type == gateway)
            Add(value);
        else if (type == via && value.Length > 2 && BinaryPrimitives.ReadUInt16LittleEndian(value) is Ipv4 or Ipv6)
            Add(value[2..]);
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is not (4 or 16))
            return;
        var address = new IPAddress(bytes);
        if (prefix.Contains(address) && !IsNobodys(address) && _seen.Add(address))
            _hosts.Add(address);
    }

    /// <summary>The network's own address and, over IPv4, its last one, by which all are meant.</summary>
    private bool IsNobodys(IPAddress address)
    {
        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        if (bits - prefix.PrefixLength < 2)
            return false;
        return address.Equals(prefix.BaseAddress) || (bits == 32 && IsLast(address, bits - prefix.PrefixLength));
    }

    private static bool IsLast(IPAddress address, int hostBits)
    {
        var all = hostBits == 32 ? uint.MaxValue : (1u << hostBits) - 1;
        return (BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes()) & all) == all;
    }
}
