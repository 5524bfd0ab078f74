using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;

namespace Freeflow.Actors.Containers;

/// <summary>A GID of a container and the interface that has its address.</summary>
public sealed record DeviceGid(Gid Gid, string Interface);

/// <summary>The device as one container sees it, made from its addresses.</summary>
/// <param name="Tenant">Whose container it is.</param>
/// <param name="Gids">RoCE v2 GIDs by index.</param>
/// <param name="IsUp">Whether the port is active.</param>
/// <param name="InterfaceMtu">Bytes.</param>
/// <param name="Guid">Node GUID, as a number whose big-endian bytes are the GUID.</param>
/// <param name="Lid">What programs without a GRH address the port by: the lower half of its first IPv4 address; 0 without one.</param>
public sealed record ContainerDevice(Tenant Tenant, IReadOnlyList<DeviceGid> Gids, bool IsUp, int InterfaceMtu, ulong Guid, ushort Lid)
{
    public const string Name = "rxe_ff0";

    // BTH, RETH, immediate and ICRC, with the IP and UDP headers (rxe's own reckoning).
    private const int HeaderBytes = 80;
    private const ushort FirstMulticastLid = 0xc000;

    /// <summary>The port's MTU as <c>enum ib_mtu</c>: the largest of 256 … 4096 that fits the interface's.</summary>
    public byte ActiveMtu => (InterfaceMtu - HeaderBytes) switch
    {
        >= 4096 => 5,
        >= 2048 => 4,
        >= 1024 => 3,
        >= 512 => 2,
        _ => 1,
    };

    /// <summary>The same as the engine needs it.</summary>
    public EnginePort EnginePort => new(Tenant.Key, [.. Gids.Select(entry => entry.Gid)], 128 << ActiveMtu);

    public static ContainerDevice Of(Tenant tenant, IReadOnlyList<InterfaceAddress> addresses)
    {
        var gids = addresses.Select(address => new DeviceGid(Gid.FromAddress(address.Address), address.Interface)).ToList();
        var first = addresses.FirstOrDefault();
        return new ContainerDevice(tenant, gids, addresses.Any(address => address.Up), first?.Mtu ?? 1500, GuidOf(first?.Mac), LidOf(first?.Address));
    }

    private static ulong GuidOf(PhysicalAddress? mac)
    {
        var bytes = mac?.GetAddressBytes() ?? [];
        if (bytes.Length != 6)
            bytes = [2, 0, 0, 0, 0, 1];
        return BinaryPrimitives.ReadUInt64BigEndian(
            [(byte)(bytes[0] ^ 2), bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]]);
    }

    private static ushort LidOf(IPAddress? address)
    {
        if (address?.AddressFamily != AddressFamily.InterNetwork)
            return 0;
        var lid = BinaryPrimitives.ReadUInt16BigEndian(address.GetAddressBytes().AsSpan(2));
        return lid < FirstMulticastLid ? lid : (ushort)0;
    }
}
