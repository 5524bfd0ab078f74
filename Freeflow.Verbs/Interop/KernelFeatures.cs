using System.ComponentModel;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Interop;

/// <summary>
/// Tries what Freeflow asks of a kernel, and leaves nothing behind. Each answers 0, or the errno of the refusal: the kernel does not have it,
/// or this process may not.
/// </summary>
public static class KernelFeatures
{
    /// <summary>Filters that host sockets share (bpf(2)).</summary>
    public static int SharedFilters()
    {
        using var filters = Handover.SharedFilters.TryCreate(out var error);
        return filters is null ? error : 0;
    }

    /// <summary>Memory files that nobody can resize (memfd_create(2), F_ADD_SEALS).</summary>
    public static int SealedMemory() => ErrnoOf(() => SharedMemory.Create("freeflow-doctor", Environment.SystemPageSize).Dispose());

    /// <summary>Which network namespace a socket is of (SIOCGSKNS).</summary>
    public static int SocketNamespaces() => ErrnoOf(() =>
    {
        var (ours, theirs) = UnixSocket.SequencedPair();
        using (ours)
        using (theirs)
            NetworkNamespace.OfSocket(ours).Dispose();
    });

    /// <summary>Threads in other network namespaces (setns(2)), tried with the one that this process is in.</summary>
    public static int EnteringNamespaces() => ErrnoOf(() =>
    {
        using var own = NetworkNamespace.Own();
        Namespaces.RunIn(own.Handle, () => 0);
    });

    /// <summary>Reading a process's memory (pidfd_open(2), process_vm_readv(2)), tried with this one.</summary>
    public static unsafe int ProcessMemory()
    {
        var probe = 1;
        using var process = VisibleProcess.TryOpen(Environment.ProcessId, (ulong)&probe);
        return process is null ? Errno.EPERM : 0;
    }

    /// <summary>Listing the host's TCP sockets (sock_diag(7)).</summary>
    public static int ListingSockets() => ErrnoOf(() => SocketDiagnostics.Connections());

    /// <summary>A thread of SCHED_RR at a priority.</summary>
    public static int RealTime(int priority)
    {
        var errno = 0;
        var thread = new Thread(() => errno = ThreadScheduling.TrySetRoundRobin(priority));
        thread.Start();
        thread.Join();
        return errno;
    }

    private static int ErrnoOf(Action attempt)
    {
        try
        {
            attempt();
            return 0;
        }
        catch (Exception refused) when ((refused as Win32Exception ?? refused.InnerException as Win32Exception) is { } reason)
        {
            return reason.NativeErrorCode;
        }
    }
}
