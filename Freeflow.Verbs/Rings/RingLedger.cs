using System.ComponentModel;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Rings;

/// <summary>
/// The rings of one open device: their bytes count for its container, and what is left of them ends with the device, also a
/// ring whose maker was stopped before anybody else knew of it. Any thread.
/// </summary>
public sealed class RingLedger(ByteBudget budget) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<SharedRing> _rings = [];
    private bool _closed;

    /// <summary>Throws Win32Exception (ENOMEM) when the container or the router has no room for so many bytes more.</summary>
    internal void Take(long bytes)
    {
        if (!budget.TryTake(bytes))
            throw new Win32Exception(Errno.ENOMEM, $"{bytes} bytes for a ring, beside {budget.Taken} that the container has");
        if (MemoryHeadroom.Own.TryPromise(bytes))
            return;
        budget.Return(bytes);
        throw new Win32Exception(Errno.ENOMEM, $"{bytes} bytes for a ring, for which the router has no memory left");
    }

    internal void Return(long bytes)
    {
        budget.Return(bytes);
        MemoryHeadroom.Own.Return(bytes);
    }

    internal void Enter(SharedRing ring)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                _rings.Add(ring);
                return;
            }
        }

        ring.Dispose();
        throw new Win32Exception(Errno.ENOMEM, "a ring for a device that is closed");
    }

    internal void Strike(SharedRing ring)
    {
        lock (_gate)
            _rings.Remove(ring);
    }

    public void Dispose()
    {
        SharedRing[] left;
        lock (_gate)
        {
            _closed = true;
            left = [.. _rings];
        }

        foreach (var ring in left)
            ring.Dispose();
    }
}
