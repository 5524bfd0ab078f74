using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Abi;

/// <summary>A structure that has grown: an older library sends less of it, and means zeros by the rest.</summary>
public static class PartialStructure
{
    /// <summary>Reads one; false when there are fewer than <paramref name="atLeast"/> bytes.</summary>
    public static bool TryRead<T>(ReadOnlySpan<byte> bytes, int atLeast, out T structure)
        where T : struct
    {
        structure = default;
        if (bytes.Length < atLeast)
            return false;
        var whole = MemoryMarshal.AsBytes(new Span<T>(ref structure));
        bytes[..Math.Min(bytes.Length, whole.Length)].CopyTo(whole);
        return true;
    }
}
