namespace Freeflow.Verbs.Interop;

/// <summary>Time that only goes forward, for whatever learns, retries or expires.</summary>
internal static class MonotonicTime
{
    /// <summary>Milliseconds since an arbitrary moment, of <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public static long Milliseconds(this TimeProvider time) => time.GetTimestamp() / (time.TimestampFrequency / 1000);
}
