using System.Net.Sockets;
using Freeflow.Actors.Containers;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.QueuePairs;

/// <summary>The two ends that a QP's address vector (struct ib_uverbs_qp_dest) names.</summary>
internal readonly record struct QueuePairEnds(Gid Local, Gid Remote)
{
    /// <summary>
    /// Reads an address vector; null with the kernel's errno for a source GID that there is not, or that is of another address
    /// family than its destination. A RoCE device has no LIDs; ours are the lower 16 bits of the IPv4 address, so that programs that send no GRH find a peer whose upper
    /// 16 bits are their own.
    /// </summary>
    public static QueuePairEnds? Read(in QpDestination destination, ContainerDevice device, out int errno)
    {
        errno = Errno.EINVAL;
        var isGlobal = destination.IsGlobal != 0;
        var index = isGlobal ? destination.SgidIndex : 0;
        if (index >= device.Gids.Count)
        {
            errno = Errno.ENODATA;
            return null;
        }

        var local = device.Gids[index].Gid;
        if (isGlobal)
        {
            var isOneFamily = local.IsIpv4 == destination.Dgid.IsIpv4 || destination.Dgid.IsMulticast;
            return isOneFamily ? new QueuePairEnds(local, destination.Dgid) : null;
        }

        var address = local.ToAddress();
        if (destination.Dlid == 0 || address.AddressFamily != AddressFamily.InterNetwork)
            return null;
        var bytes = address.GetAddressBytes();
        (bytes[2], bytes[3]) = ((byte)(destination.Dlid >> 8), (byte)destination.Dlid);
        return new QueuePairEnds(local, Gid.FromAddress(new System.Net.IPAddress(bytes)));
    }
}
