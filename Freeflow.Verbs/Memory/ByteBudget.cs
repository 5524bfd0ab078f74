namespace Freeflow.Verbs.Memory;

/// <summary>A number of bytes that several share. Any thread.</summary>
public sealed class ByteBudget(long limit)
{
    private long _taken;

    /// <summary>For who is bounded otherwise.</summary>
    public static ByteBudget Boundless => new(long.MaxValue);

    public long Taken => Volatile.Read(ref _taken);

    /// <summary>Takes all of <paramref name="bytes"/>, or nothing when that is more than is left.</summary>
    public bool TryTake(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        while (true)
        {
            var taken = Volatile.Read(ref _taken);
            if (bytes > limit - taken)
                return false;
            if (Interlocked.CompareExchange(ref _taken, taken + bytes, taken) == taken)
                return true;
        }
    }

    public void Return(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
