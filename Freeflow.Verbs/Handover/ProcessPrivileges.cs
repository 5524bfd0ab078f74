using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// Whether a process could do harm with a socket of the host's network: with CAP_NET_ADMIN over it, an ioctl on any socket changes
/// its interfaces. The bounding set counts, since what one process gets another can be passed.
/// </summary>
public static partial class ProcessPrivileges
{
    private const int NetAdmin = 12;
    private const nuint OwnerOfNamespace = 0xb701; // NS_GET_USERNS
    private const int LargestStatus = 16384;

    /// <param name="pid">As this router sees it; 0 when it can't.</param>
    /// <param name="passed">Its /proc/self/status, as it has passed it.</param>
    /// <param name="network">The container.</param>
    /// <param name="reason">Why not.</param>
    public static bool AreHarmless(int pid, IReadOnlyList<SafeFileHandle> passed, NetworkNamespace network, out string reason)
    {
        reason = "";
        if (!IsOfHostsUsers(network))
            return true;
        var status = pid > 0 ? ReadVisible(pid) : passed.Count == 1 ? ReadPassed(passed[0]) : null;
        if (status is null)
            reason = "what its process may do can't be seen";
        else if (Has(status, "CapPrm:") || Has(status, "CapBnd:"))
            reason = "it has CAP_NET_ADMIN over the host's network (drop it from the container, or set tcp.privileged-containers)";
        return reason.Length == 0;
    }

    /// <summary>Capabilities in a user namespace of the container's own are worth nothing outside.</summary>
    private static bool IsOfHostsUsers(NetworkNamespace network)
    {
        var descriptor = Control(network.Handle, OwnerOfNamespace);
        if (descriptor < 0)
            return true;
        using var owner = new SafeFileHandle(descriptor, ownsHandle: true);
        using var own = File.OpenHandle("/proc/self/ns/user");
        return FileIdentity.Of(owner) == FileIdentity.Of(own);
    }

    private static string? ReadVisible(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/status");
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string? ReadPassed(SafeFileHandle file)
    {
        try
        {
            ProcFile.ProcessOf(file, "/status", ProcFile.ReadOnly);
            var bytes = new byte[LargestStatus];
            return Encoding.UTF8.GetString(bytes, 0, Math.Max(0, RandomAccess.Read(file, bytes, 0)));
        }
        catch (Exception error) when (error is ArgumentException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>A status without the line is none that can be trusted.</summary>
    private static bool Has(string status, string set)
    {
        var line = status.Split('\n').FirstOrDefault(line => line.StartsWith(set, StringComparison.Ordinal));
        return line is null || !ulong.TryParse(line[set.Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits)
            || (bits >> NetAdmin & 1) != 0;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeHandle handle, nuint request);
}
