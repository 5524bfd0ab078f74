using System.ComponentModel;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>Where a container's socket listens, as the kernel says.</summary>
/// <param name="Address">Null: at every address.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="IsIpv6">Whether it is an AF_INET6 socket that takes IPv4 connections too.</param>
/// <param name="Cookie">By which the kernel tells it from every other (SO_COOKIE); 0: not known.</param>
public sealed partial record ListeningSocket(Ipv4? Address, ushort Port, bool IsIpv6, ulong Cookie = 0)
{
    private const int SocketLevel = 1;
    private const int BindToDeviceOption = 25;
    private const int AcceptsOption = 30;
    private const int ProtocolOption = 38;
    private const int Tcp = 6;
    private const int Ipv6Level = 41;
    private const int Ipv6OnlyOption = 26;

    /// <summary>
    /// Looks at a socket that a process passed. Null, with the reason, when connections of other containers can't reach it
    /// over IPv4, or it is none of that container's listeners at all.
    /// </summary>
    public static ListeningSocket? Inspect(SafeHandle socket, NetworkNamespaceId container, out string reason) =>
        LookAt(socket, container, out reason) is { } listener ? listener with { Cookie = HostSocket.CookieOf((int)socket.DangerousGetHandle()) } : null;

    public override string ToString() => $"{Address?.ToString() ?? "*"}:{Port}";

    private static ListeningSocket? LookAt(SafeHandle socket, NetworkNamespaceId container, out string reason)
    {
        NetworkNamespaceId home;
        try
        {
            using var @namespace = NetworkNamespace.OfSocket(socket);
            home = @namespace.Id;
        }
        catch (Win32Exception error)
        {
            reason = $"it is no socket ({error.Message})";
            return null;
        }

        if (home != container)
            return Refuse("it is in another network namespace", out reason);
        if (Option(socket, SocketLevel, ProtocolOption) != Tcp || Option(socket, SocketLevel, AcceptsOption) != 1)
            return Refuse("it is no listening TCP socket", out reason);
        Span<byte> device = stackalloc byte[16];
        var length = (uint)device.Length;
        if (GetOption(socket, SocketLevel, BindToDeviceOption, ref MemoryMarshal.GetReference(device), ref length) == 0 && length > 0)
            return Refuse("it is bound to a device", out reason);

        Span<byte> name = stackalloc byte[28];
        length = (uint)name.Length;
        if (GetName(socket, ref MemoryMarshal.GetReference(name), ref length) < 0)
            return Refuse("it has no address", out reason);
        const ushort inet = 2, inet6 = 10;
        var port = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(name[2..]);
        var family = MemoryMarshal.Read<ushort>(name);
        reason = "";
        if (family == inet)
            return Of(new Ipv4(MemoryMarshal.Read<uint>(name[4..])), port, isIpv6: false, out reason);
        if (family != inet6)
            return Refuse("it is of another family", out reason);
        if (!name[8..18].ContainsAnyExcept((byte)0) && name[18] == 0xff && name[19] == 0xff)
            return Of(new Ipv4(MemoryMarshal.Read<uint>(name[20..])), port, isIpv6: true, out reason);
        return name[8..24].ContainsAnyExcept((byte)0) || Option(socket, Ipv6Level, Ipv6OnlyOption) != 0
            ? Refuse("it takes no IPv4 connections", out reason)
            : new ListeningSocket(null, port, IsIpv6: true);
    }

    private static ListeningSocket? Of(Ipv4 address, ushort port, bool isIpv6, out string reason)
    {
        reason = "";
        const uint loopback = 127;
        return address.Value >> 24 == loopback
            ? Refuse("it is bound to the loopback", out reason)
            : new ListeningSocket(address.Network == 0 ? null : address, port, isIpv6);
    }

    private static ListeningSocket? Refuse(string why, out string reason)
    {
        reason = why;
        return null;
    }

    private static int Option(SafeHandle socket, int level, int option)
    {
        Span<byte> value = stackalloc byte[sizeof(int)];
        var length = (uint)value.Length;
        return GetOption(socket, level, option, ref MemoryMarshal.GetReference(value), ref length) < 0 ? -1 : MemoryMarshal.Read<int>(value);
    }

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(SafeHandle socket, int level, int option, ref byte value, ref uint length);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetName(SafeHandle socket, ref byte name, ref uint length);
}
