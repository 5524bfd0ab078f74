using System.Diagnostics;

namespace Freeflow.Actors.Tracing;

/// <summary>
/// A trace context in bytes, as a message's end: W3C's traceparent (version 0, trace-id, parent-id, flags), not in its text form. A router that
/// does not know of it reads no further than the message; one that finds anything else there goes without.
/// </summary>
internal static class TraceParent
{
    public const int Bytes = 1 + TraceBytes + SpanBytes + 1;

    private const int TraceBytes = 16;
    private const int SpanBytes = 8;
    private const byte Version = 0;

    public static void Write(Stream stream, in ActivityContext cause)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes[0] = Version;
        // They fill whatever room they are given.
        cause.TraceId.CopyTo(bytes.Slice(1, TraceBytes));
        cause.SpanId.CopyTo(bytes.Slice(1 + TraceBytes, SpanBytes));
        bytes[^1] = (byte)(cause.TraceFlags & ActivityTraceFlags.Recorded);
        stream.Write(bytes);
    }

    /// <summary>Nothing, when the bytes are no context.</summary>
    public static ActivityContext Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes || bytes[0] != Version)
            return default;
        var trace = bytes.Slice(1, TraceBytes);
        var span = bytes.Slice(1 + TraceBytes, SpanBytes);
        // W3C: all zero is invalid.
        if (!trace.ContainsAnyExcept((byte)0) || !span.ContainsAnyExcept((byte)0))
            return default;
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(trace), ActivitySpanId.CreateFromBytes(span), (ActivityTraceFlags)bytes[^1] & ActivityTraceFlags.Recorded, isRemote: true);
    }
}
