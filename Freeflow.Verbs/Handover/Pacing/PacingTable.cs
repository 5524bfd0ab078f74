using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover.Pacing;

/// <summary>The rates of connections whose sockets others have, in the kernel: they are set, and what was sent is read, all in one pass.</summary>
internal sealed class PacingTable : IDisposable
{
    private const int MostConnections = 1 << 20; // 32 bytes each, and 48 of the kernel's, as they come

    private readonly SafeFileHandle _entries;
    private readonly BpfIterator _sockets;

    private PacingTable(SafeFileHandle entries, BpfIterator sockets) => (_entries, _sockets) = (entries, sockets);

    /// <summary>
    /// Null when the kernel can't: EPERM without CAP_BPF and CAP_PERFMON, EOPNOTSUPP where it does not tell its types, EINVAL before
    /// Linux 5.16.
    /// </summary>
    public static PacingTable? TryCreate(out int error)
    {
        error = Errno.EOPNOTSUPP;
        if (KernelTypes.Read() is not { } types || types.NumberOf("bpf_iter_tcp"u8) is not { } sockets)
            return null;
        if (Bpf.TryCreateHash(MostConnections, out error, valueBytes: 32) is not { } entries)
            return null;
        error = Errno.EOPNOTSUPP;
        if (PacingProgram.Make(entries, types) is { } program && BpfIterator.TryCreate(program, sockets, out error) is { } iterator)
            return new PacingTable(entries, iterator);
        entries.Dispose();
        return null;
    }

    /// <summary>What a socket, by its cookie, is to have with the next <see cref="Pass"/>; 0 or -errno (E2BIG: there are as many as there may be).</summary>
    /// <param name="cookie">The socket's.</param>
    /// <param name="given">What it was given before, bytes a second.</param>
    /// <param name="rate">What it is to have.</param>
    public int Set(ulong cookie, ulong given, ulong rate) => Bpf.Update(_entries, cookie, new PacingEntry { Rate = rate, Given = given });

    public void Remove(ulong cookie) => _ = Bpf.Delete(_entries, cookie);

    /// <summary>Does it; 0 or an errno.</summary>
    public int Pass() => _sockets.Run();

    /// <summary>Bytes that a socket had sent at the last pass; null: the kernel had none with that cookie.</summary>
    public ulong? SentBy(ulong cookie) => Bpf.LookUpValue(_entries, cookie, out PacingEntry entry) == 0 && entry.IsThere != 0 ? entry.Sent : null;

    public void Dispose()
    {
        _sockets.Dispose();
        _entries.Dispose();
    }
}
