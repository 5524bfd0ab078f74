using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>A piece of memory for a vectored call (<c>struct iovec</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct IoVector
{
    private IoVector(nint start, nint length) => (Base, Length) = (start, length);

    public nint Base { get; }

    public nint Length { get; }

    /// <summary>Describes memory that does not move: a shared mapping or a pinned array.</summary>
    public static unsafe IoVector Of(ReadOnlySpan<byte> fixedMemory)
    {
        fixed (byte* start = fixedMemory)
            return new IoVector((nint)start, fixedMemory.Length);
    }
}
