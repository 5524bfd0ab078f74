using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Abi.ConnectionManager;

/// <summary>Private data as commands and events carry it (RDMA_MAX_PRIVATE_DATA bytes).</summary>
[InlineArray(256)]
public struct PrivateDataBytes
{
    private byte _first;
}

/// <summary><c>struct __kernel_sockaddr_storage</c>, aligned to eight bytes</summary>
[InlineArray(16)]
public struct SocketAddressStorage
{
    private ulong _first;

    /// <summary>The bytes of it.</summary>
    public static Span<byte> Bytes(ref SocketAddressStorage storage) => MemoryMarshal.AsBytes(new Span<SocketAddressStorage>(ref storage));
}

/// <summary><c>struct sockaddr_in6</c>, which also holds a <c>sockaddr_in</c></summary>
[InlineArray(7)]
public struct SocketAddressIn6
{
    private uint _first;

    /// <summary>The bytes of it.</summary>
    public static Span<byte> Bytes(ref SocketAddressIn6 address) => MemoryMarshal.AsBytes(new Span<SocketAddressIn6>(ref address));
}

/// <summary>A packed path record (<c>ib_path_rec_data.path_rec</c>; InfiniBand specification 15.2.5.16)</summary>
[InlineArray(16)]
public struct PackedPath
{
    private uint _first;

    /// <summary>The bytes of it.</summary>
    public static Span<byte> Bytes(ref PackedPath path) => MemoryMarshal.AsBytes(new Span<PackedPath>(ref path));
}
