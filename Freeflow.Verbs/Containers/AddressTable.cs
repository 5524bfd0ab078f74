using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Containers;

/// <summary>The links and addresses of a network namespace, kept up to date from rtnetlink messages.</summary>
internal sealed class AddressTable
{
    private const uint UpAndRunning = 0x1 | 0x40;
    private const uint Loopback = 0x8;

    private readonly SortedDictionary<int, (string Name, uint Flags, int Mtu, PhysicalAddress Mac)> _links = [];
    private readonly Dictionary<(int Interface, IPAddress Address), int> _prefixes = [];

    public void Clear()
    {
        _links.Clear();
        _prefixes.Clear();
    }

    /// <summary>Takes one message into account; true when it was about a link or an address.</summary>
    public bool Apply(ushort type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case RouteNetlink.NewLink or RouteNetlink.DeleteLink when body.Length >= 16:
                ApplyLink(type == RouteNetlink.NewLink, body);
                return true;
            case RouteNetlink.NewAddress or RouteNetlink.DeleteAddress when body.Length >= 8:
                ApplyAddress(type == RouteNetlink.NewAddress, body);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Addresses of all but loopback: IPv4 first, then global IPv6, then link-local; by interface within each.</summary>
    public IReadOnlyList<InterfaceAddress> Snapshot() =>
    [
        .. from entry in _prefixes
           where _links.TryGetValue(entry.Key.Interface, out var link) && (link.Flags & Loopback) == 0
           let link = _links[entry.Key.Interface]
           let address = entry.Key.Address
           orderby address.GetAddressBytes().Length, address.IsIPv6LinkLocal, entry.Key.Interface, address.ToString()
           select new InterfaceAddress(
               address, entry.Value, link.Name, entry.Key.Interface, (link.Flags & UpAndRunning) == UpAndRunning, link.Mtu, link.Mac),
    ];

    private void ApplyLink(bool present, ReadOnlySpan<byte> body)
    {
        // struct ifinfomsg: index at 4, flags at 8.
        var index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        if (!present)
        {
            _links.Remove(index);
            foreach (var key in _prefixes.Keys.Where(key => key.Interface == index).ToArray())
                _prefixes.Remove(key);
            return;
        }

        var flags = BinaryPrimitives.ReadUInt32LittleEndian(body[8..]);
        var (name, mtu, mac) = ("", 0, PhysicalAddress.None);
        var attributes = body[16..];
        while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
        {
            const ushort address = 1, interfaceName = 3, mtuType = 4;
            if (type == address && value.Length == 6)
                mac = new PhysicalAddress(value.ToArray());
            else if (type == interfaceName)
                name = Encoding.UTF8.GetString(value.TrimEnd((byte)0));
            else if (type == mtuType && value.Length == 4)
                mtu = BinaryPrimitives.ReadInt32LittleEndian(value);
        }

        _links[index] = (name, flags, mtu, mac);
    }

    private void ApplyAddress(bool present, ReadOnlySpan<byte> body)
    {
        // struct ifaddrmsg: family at 0, prefix length at 1, interface at 4. IFA_LOCAL is the own end, where there is one.
        int prefix = body[1];
        var index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        IPAddress? local = null, any = null;
        var attributes = body[8..];
        while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
        {
            const ushort address = 1, localAddress = 2;
            if (value.Length is not (4 or 16))
                continue;
            if (type == address)
                any = new IPAddress(value);
            else if (type == localAddress)
                local = new IPAddress(value);
        }

        // The scope of an IPv6 link-local address is the interface, which is known beside it.
        if ((local ?? any) is not { } found)
            return;
        if (present)
            _prefixes[(index, found)] = prefix;
        else
            _prefixes.Remove((index, found));
    }
}
