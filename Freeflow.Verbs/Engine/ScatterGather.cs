using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Engine;

/// <summary>Which side of a copy could not be reached.</summary>
internal enum CopyResult
{
    Done,
    SourceFault,
    DestinationFault,
}

/// <summary>
/// Moves bytes between registered memory, buffers and socket vectors. Shared pages are copied directly; memory that the
/// router only reaches through the kernel is copied by one call a piece, straight from or to the other side where that
/// one is shared.
/// </summary>
internal sealed class ScatterGather(KeyTable keys)
{
    private readonly byte[] _bounce = GC.AllocateArray<byte>(256 * 1024, pinned: true);

    /// <summary>Copies <paramref name="bytes"/> from one list to another and moves both cursors.</summary>
    public CopyResult Copy(ref MemoryCursor from, ref MemoryCursor to, int bytes)
    {
        while (bytes > 0)
        {
            if (!from.TryPeek(keys, bytes, out var source, out var sourceAddress, out var length))
                return CopyResult.SourceFault;
            if (!to.TryPeek(keys, length, out var destination, out var destinationAddress, out length))
                return CopyResult.DestinationFault;

            if (source!.Memory.TryGetShared(sourceAddress, length, out var shared))
            {
                length = Math.Min(length, shared.Length);
                if (destination!.Memory.CopyFrom(destinationAddress, shared[..length]) != 0)
                    return CopyResult.DestinationFault;
            }
            else if (destination!.Memory.TryGetShared(destinationAddress, length, out shared))
            {
                length = Math.Min(length, shared.Length);
                if (source.Memory.CopyTo(sourceAddress, shared[..length]) != 0)
                    return CopyResult.SourceFault;
            }
            else
            {
                length = Math.Min(length, _bounce.Length);
                if (source.Memory.CopyTo(sourceAddress, _bounce.AsSpan(0, length)) != 0)
                    return CopyResult.SourceFault;
                if (destination.Memory.CopyFrom(destinationAddress, _bounce.AsSpan(0, length)) != 0)
                    return CopyResult.DestinationFault;
            }

            from.Advance(length);
            to.Advance(length);
            bytes -= length;
        }

        return CopyResult.Done;
    }

    /// <summary>Fills <paramref name="destination"/> from the list; false when memory can't be reached.</summary>
    public bool Gather(ref MemoryCursor from, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            if (!from.TryPeek(keys, destination.Length, out var region, out var address, out var length)
                || region!.Memory.CopyTo(address, destination[..length]) != 0)
                return false;
            from.Advance(length);
            destination = destination[length..];
        }

        return true;
    }

    /// <summary>Writes <paramref name="source"/> to the list; false when memory can't be reached.</summary>
    public bool Scatter(ref MemoryCursor to, ReadOnlySpan<byte> source)
    {
        while (!source.IsEmpty)
        {
            if (!to.TryPeek(keys, source.Length, out var region, out var address, out var length)
                || region!.Memory.CopyFrom(address, source[..length]) != 0)
                return false;
            to.Advance(length);
            source = source[length..];
        }

        return true;
    }

    /// <summary>
    /// Describes the list's next bytes for a socket call, as far as they are shared and <paramref name="vectors"/> has
    /// room; the cursor stays. Returns the bytes described, at most <paramref name="bytes"/>.
    /// </summary>
    public int Describe(MemoryCursor cursor, int bytes, Span<IoVector> vectors, out int count)
    {
        var described = 0;
        count = 0;
        while (described < bytes && count < vectors.Length
            && cursor.TryPeek(keys, bytes - described, out var region, out var address, out var length)
            && region!.Memory.TryGetShared(address, length, out var shared))
        {
            length = Math.Min(length, shared.Length);
            vectors[count++] = IoVector.Of(shared[..length]);
            described += length;
            cursor.Advance(length);
        }

        return described;
    }
}
