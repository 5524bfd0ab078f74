using System.ComponentModel;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Containers;

/// <summary>What tells one network namespace from another, for as long as someone holds it.</summary>
public readonly record struct NetworkNamespaceId(ulong Device, ulong Inode)
{
    public override string ToString() => Inode.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>
/// A network namespace, held open. For an accepted unix socket the kernel says which one the client is in: nothing that
/// the client sends is needed or believed.
/// </summary>
public sealed partial class NetworkNamespace : IDisposable
{
    private const nuint GetSocketNamespace = 0x894C;
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;

    // Found once: it must be known also when the router has no descriptor left.
    private static readonly Lazy<NetworkNamespaceId> s_own = new(() =>
    {
        using var own = Own();
        return own.Id;
    });

    internal NetworkNamespace(SafeFileHandle handle)
    {
        Handle = handle;
        Id = IdOf(handle);
    }

    public NetworkNamespaceId Id { get; }

    public SafeFileHandle Handle { get; }

    /// <summary>Whether it is the router's own: nobody on the host's network is a container.</summary>
    public bool IsOwn => Id == s_own.Value;

    /// <summary>The namespace that the other end of an accepted socket connected from (SIOCGSKNS; needs CAP_NET_ADMIN).</summary>
    public static NetworkNamespace OfSocket(SafeHandle acceptedUnixSocket)
    {
        var descriptor = Control(acceptedUnixSocket, GetSocketNamespace);
        return descriptor < 0
            ? throw new Win32Exception(Marshal.GetLastPInvokeError(), $"SIOCGSKNS: {Marshal.GetLastPInvokeErrorMessage()}")
            : new NetworkNamespace(new SafeFileHandle(descriptor, true));
    }

    public static NetworkNamespace Own() => new(File.OpenHandle("/proc/self/ns/net"));

    /// <summary>A second holder of the same namespace.</summary>
    public NetworkNamespace Duplicate() => new(File.OpenHandle($"/proc/self/fd/{Handle.DangerousGetHandle()}"));

    /// <summary>The connecting process's pid in the router's pid namespace; 0 when it is in another.</summary>
    public static int PeerPidOf(SafeHandle acceptedUnixSocket)
    {
        Span<int> credentials = stackalloc int[3];
        var length = (uint)(credentials.Length * sizeof(int));
        return GetOption(acceptedUnixSocket, SocketLevel, PeerCredentials, ref MemoryMarshal.GetReference(credentials), ref length) < 0
            ? 0
            : credentials[0];
    }

    public void Dispose() => Handle.Dispose();

    private static NetworkNamespaceId IdOf(SafeFileHandle handle)
    {
        var identity = FileIdentity.Of(handle);
        return new NetworkNamespaceId(identity.Device, identity.Inode);
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeHandle socket, nuint request);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(SafeHandle socket, int level, int option, ref int value, ref uint length);
}
