using System.Buffers.Binary;
using System.ComponentModel;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Channel;

/// <summary>
/// A completion channel or the async event descriptor: a real descriptor for the application to read, poll and inherit.
/// Records have a fixed size, and their first eight bytes say whom they are for.
/// </summary>
public sealed class EventStream : IDisposable
{
    private const int MaximumUnread = 4096;

    private readonly SafeFileHandle _ours;
    private readonly FileIdentity _theirs;
    private readonly int _recordBytes;
    private readonly Lock _gate = new();
    private int _users;

    private EventStream(SafeFileHandle ours, SafeFileHandle theirs, int recordBytes)
    {
        _ours = ours;
        _theirs = FileIdentity.Of(theirs);
        ApplicationEnd = theirs;
        _recordBytes = recordBytes;
    }

    /// <summary>
    /// The end to hand out; blocking, as the kernel's is. Held here until it is <see cref="Forget"/>ten, and while something
    /// uses the stream.
    /// </summary>
    public SafeFileHandle ApplicationEnd { get; private set; }

    /// <summary>Whether nothing uses the stream, and the application has closed its end.</summary>
    public bool IsAbandoned
    {
        get
        {
            lock (_gate)
            {
                if (_users > 0 || !ApplicationEnd.IsClosed)
                    return false;
                Span<byte> nothing = stackalloc byte[1];
                return _ours.IsClosed || StreamSocket.ReceiveVector(_ours, [IoVector.Of(nothing)]) == 0;
            }
        }
    }

    /// <summary>The end that records are written to; for the shim, which says by it that the router is gone.</summary>
    public SafeFileHandle WritingEnd => _ours;

    /// <summary>Whether a descriptor that a process passed is this stream's.</summary>
    public bool IsSame(SafeFileHandle descriptor) => FileIdentity.Of(descriptor) == _theirs;

    /// <summary>Leaves the application's end to the application.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            if (_users == 0)
                ApplicationEnd.Dispose();
        }
    }

    /// <summary>A CQ sends its events here: from now on unread ones may have to be taken back from the application's end.
    /// Throws Win32Exception (EMFILE), and nothing is changed.</summary>
    public void Use(SafeFileHandle applicationEnd)
    {
        lock (_gate)
        {
            if (_users == 0 && ApplicationEnd.IsClosed)
                ApplicationEnd = StreamSocket.Duplicate(applicationEnd);
            _users++;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            if (--_users == 0)
                ApplicationEnd.Dispose();
        }
    }

    /// <param name="recordBytes">8 for completion channels, 16 for async events.</param>
    /// <returns>Null when the router has no memory or descriptors for one.</returns>
    public static EventStream? TryCreate(int recordBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(recordBytes, sizeof(ulong));
        try
        {
            var (ours, theirs) = UnixSocket.StreamPair();
            return new EventStream(ours, theirs, recordBytes);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Adds a record without waiting; false when the application reads too slowly, and the record is lost.</summary>
    public bool TryWrite(ReadOnlySpan<byte> record)
    {
        lock (_gate)
            return UnixSocket.Send(_ours, record, []) == record.Length;
    }

    /// <summary>
    /// Takes back what the application has not read of the records for <paramref name="element"/>, and returns how many
    /// they were: a destroyed object's unread events vanish, as in the kernel.
    /// </summary>
    public int Withdraw(ulong element)
    {
        lock (_gate)
        {
            // Rare: a CQ that is destroyed with events that nobody has read, or at all.
            var unread = GC.AllocateUninitializedArray<byte>(MaximumUnread * _recordBytes, pinned: true);
            var have = 0;
            var vectors = new IoVector[1];
            while (have < unread.Length)
            {
                vectors[0] = IoVector.Of(unread.AsSpan(have));
                var got = StreamSocket.ReceiveVector(ApplicationEnd, vectors);
                if (got <= 0)
                    break;
                have += got;
            }

            var withdrawn = 0;
            for (var at = 0; at + _recordBytes <= have; at += _recordBytes)
            {
                var record = unread.AsSpan(at, _recordBytes);
                if (BinaryPrimitives.ReadUInt64LittleEndian(record) == element)
                    withdrawn++;
                else
                    UnixSocket.Send(_ours, record, []);
            }

            return withdrawn;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _ours.Dispose();
            ApplicationEnd.Dispose();
        }
    }
}
