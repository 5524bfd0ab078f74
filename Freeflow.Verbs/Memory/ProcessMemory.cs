using System.Collections.Concurrent;
using System.ComponentModel;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Memory;

/// <summary>
/// The memory of one process that has opened the device. What is mapped where is the kernel's word (/proc/self/maps),
/// never the process's.
/// </summary>
public sealed class ProcessMemory : IDisposable
{
    /// <summary>The name by which shared pages show in /proc/PID/maps; the shim looks for it too.</summary>
    public const string SharedName = "freeflow-mr";

    private const int MaximumRanges = 64;
    private const uint ReadWrite = 3;

    // glibc makes its secondary arenas in heaps of this size and alignment, and trims them by a call that nobody can
    // interpose: their pages must stay private.
    private const ulong ArenaBytes = 64UL << 20;

    private readonly ProcessFiles _files;
    private readonly int _visiblePid;
    private readonly long _shareLimit;
    private readonly ByteBudget _containersShare;
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, SharedMemory> _shared = [];
    private readonly List<RegisteredMemory> _registered = [];
    private readonly ConcurrentQueue<RegisteredMemory> _released = new();
    private VisibleProcess? _visible;
    private bool _triedVisible;

    /// <param name="memory">The process's /proc/self/mem, opened by itself for reading and writing.</param>
    /// <param name="maps">Its /proc/self/maps.</param>
    /// <param name="visiblePid">Its pid as the kernel told it for the connection; 0 where the router can't see it.</param>
    /// <param name="shareLimit">Bytes that may be shared with the process; beyond, memory is copied.</param>
    /// <param name="containersShare">The same for all processes of its container; null: no bound.</param>
    /// <exception cref="ArgumentException">A descriptor is not what it should be; the message says which.</exception>
    public ProcessMemory(SafeFileHandle memory, SafeFileHandle maps, int visiblePid = 0, long shareLimit = long.MaxValue, ByteBudget? containersShare = null)
    {
        _containersShare = containersShare ?? ByteBudget.Boundless;
        _files = new ProcessFiles(memory, maps);
        _visiblePid = visiblePid;
        _shareLimit = shareLimit;
    }

    /// <summary>How copied memory is reached.</summary>
    public string CopiesBy => _visible is null ? "/proc/self/mem" : "process_vm";

    /// <summary>Bytes that are shared with the process.</summary>
    public long SharedBytes
    {
        get
        {
            lock (_gate)
                return _shared.Values.Sum(memory => memory.Length);
        }
    }

    /// <summary>What is mapped now, by address.</summary>
    public IReadOnlyList<MemoryMapping> Mappings() => _files.Mappings();

    /// <summary>Copies out of the process; 0 or EFAULT.</summary>
    public int Read(ulong address, Span<byte> into) => _visible?.Read(address, into) ?? _files.Read(address, into);

    /// <summary>Copies into the process; 0 or EFAULT.</summary>
    public int Write(ulong address, ReadOnlySpan<byte> from) => _visible?.Write(address, from) ?? _files.Write(address, from);

    /// <summary>
    /// Moves the contents of the private pages in the range into new shared memory, which the process then maps over
    /// them. The caller knows that no thread of the process runs meanwhile.
    /// </summary>
    public SharePlan Share(ulong address, ulong length)
    {
        if (length == 0 || address + length < address)
            return SharePlan.Nothing;
        lock (_gate)
        {
            var mappings = _files.Mappings();
            DropUnmapped(mappings);
            var ranges = Shareable(mappings, address, address + length);
            var total = ranges.Sum(range => (long)range.Length);
            if (total == 0 || total > _shareLimit - _shared.Values.Sum(memory => memory.Length) || !_containersShare.TryTake(total))
                return SharePlan.Nothing;

            SharedMemory made;
            try
            {
                made = SharedMemory.Create(SharedName, total);
            }
            catch (Win32Exception)
            {
                _containersShare.Return(total);
                return SharePlan.Nothing;
            }

            foreach (var range in ranges)
            {
                if (!TryFill(made, range))
                {
                    Free(made);
                    return SharePlan.Nothing;
                }
            }

            _shared.Add(made.Inode, made);
            return new SharePlan(made, ranges);
        }
    }

    /// <summary>
    /// Looks up what lies in the range. Throws <see cref="MemoryAccessException"/> with EFAULT when a page is not mapped,
    /// not readable, or not writable though <paramref name="write"/> asks for it.
    /// </summary>
    public RegisteredMemory Register(ulong address, ulong length, bool write)
    {
        if (address + length < address)
            throw new MemoryAccessException(Errno.EINVAL, "the range wraps around");
        lock (_gate)
        {
            if (!_triedVisible)
            {
                _triedVisible = true;
                _visible = VisibleProcess.TryOpen(_visiblePid, address);
            }

            var mappings = _files.Mappings();
            DropUnmapped(mappings);
            var registered = new RegisteredMemory(this, address, length, PiecesOf(mappings, address, address + Math.Max(length, 1), write));
            _registered.Add(registered);
            return registered;
        }
    }

    /// <summary>Frees what is shared. The process keeps its pages.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var memory in _shared.Values)
                Free(memory);
            _shared.Clear();
            _visible?.Dispose();
            _files.Dispose();
        }
    }

    /// <summary>Takes note of an ended registration. Never waits: the engine's thread calls it.</summary>
    internal void Released(RegisteredMemory memory) => _released.Enqueue(memory);

    /// <summary>Shared memory that the process has unmapped and no registration uses is freed.</summary>
    private void DropUnmapped(List<MemoryMapping> mappings)
    {
        while (_released.TryDequeue(out var released))
            _registered.Remove(released);
        foreach (var (inode, memory) in _shared)
        {
            if (mappings.Any(mapping => mapping.Shared && mapping.Inode == inode)
                || _registered.Any(registered => Uses(registered, memory)))
                continue;
            Free(memory);
            _shared.Remove(inode);
        }
    }

    private void Free(SharedMemory memory)
    {
        memory.Dispose();
        _containersShare.Return(memory.Length);
    }

    private static bool Uses(RegisteredMemory registered, SharedMemory memory)
    {
        foreach (var piece in registered.Pieces)
        {
            if (piece.Memory == memory)
                return true;
        }

        return false;
    }

    private RegisteredMemory.Piece[] PiecesOf(List<MemoryMapping> mappings, ulong address, ulong end, bool write)
    {
        var pieces = new List<RegisteredMemory.Piece>();
        var at = address;
        foreach (var mapping in mappings)
        {
            if (mapping.End <= at)
                continue;
            if (mapping.Start > at || at >= end)
                break;
            if (!mapping.Readable || (write && !mapping.Writable))
                throw new MemoryAccessException(Errno.EFAULT, $"{at:x} is not {(mapping.Readable ? "writable" : "readable")}");
            var stop = Math.Min(mapping.End, end);
            var shared = mapping.Shared ? _shared.GetValueOrDefault(mapping.Inode) : null;
            var offset = (long)(mapping.Offset + (at - mapping.Start));
            if (shared is not null && (offset < 0 || offset + (long)(stop - at) > shared.Length))
                shared = null;
            if (pieces.Count > 0 && pieces[^1].Memory is null && shared is null)
                pieces[^1] = pieces[^1] with { End = stop };
            else
                pieces.Add(new RegisteredMemory.Piece(at, stop, shared, offset));
            at = stop;
        }

        return at >= end ? [.. pieces] : throw new MemoryAccessException(Errno.EFAULT, $"{at:x} is not mapped");
    }

    private List<ShareRange> Shareable(List<MemoryMapping> mappings, ulong address, ulong end)
    {
        var page = (ulong)Environment.SystemPageSize;
        var ranges = new List<ShareRange>();
        ulong offset = 0;
        for (var i = 0; i < mappings.Count && ranges.Count < MaximumRanges; i++)
        {
            var mapping = mappings[i];
            var start = Math.Max(mapping.Start, (address + page - 1) / page * page);
            var stop = Math.Min(mapping.End, end / page * page);
            if (start >= stop || !mapping.IsPrivateAnonymous || !mapping.Readable || !mapping.Writable
                || IsArena(mappings, i) || IsCopiedByRegistration(start, stop))
                continue;
            ranges.Add(new ShareRange(start, stop - start, offset, ReadWrite));
            offset += stop - start;
        }

        return ranges;
    }

    private static bool IsArena(List<MemoryMapping> mappings, int at)
    {
        // A heap may be in pieces; what tells it is its aligned start and the reserved rest behind.
        var heap = mappings[at].Start / ArenaBytes * ArenaBytes;
        var first = mappings.FindIndex(mapping => mapping.Start == heap);
        if (first < 0)
            return false;
        for (var i = first; i < mappings.Count && mappings[i].Start < heap + ArenaBytes; i++)
        {
            if (!mappings[i].Readable && mappings[i].End == heap + ArenaBytes)
                return true;
        }

        return false;
    }

    /// <summary>A live registration that reaches these pages through the kernel could be writing to them right now.</summary>
    private bool IsCopiedByRegistration(ulong start, ulong stop)
    {
        foreach (var registered in _registered)
        {
            foreach (var piece in registered.Pieces)
            {
                if (piece.Memory is null && piece.Start < stop && start < piece.End)
                    return true;
            }
        }

        return false;
    }

    private bool TryFill(SharedMemory memory, ShareRange range)
    {
        const int chunk = 1 << 20;
        for (ulong done = 0; done < range.Length; done += chunk)
        {
            var bytes = (int)Math.Min(chunk, range.Length - done);
            if (_files.Read(range.Address + done, memory.Span((long)(range.Offset + done), bytes)) != 0)
                return false;
        }

        return true;
    }
}
