using System.Net;

namespace Freeflow.Actors.Seeds;

/// <summary>The order in which all routers see each other: by family, address as a number, and port.</summary>
internal sealed class AddressOrder : IComparer<IPEndPoint>
{
    public static readonly AddressOrder Instance = new();

    public int Compare(IPEndPoint? one, IPEndPoint? other)
    {
        var (a, b) = (one!.Address.GetAddressBytes(), other!.Address.GetAddressBytes());
        return a.Length != b.Length ? a.Length - b.Length
            : a.AsSpan().SequenceCompareTo(b) is var order and not 0 ? order
            : one.Port - other.Port;
    }
}
