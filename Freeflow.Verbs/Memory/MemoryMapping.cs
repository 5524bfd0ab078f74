using System.Buffers.Text;

namespace Freeflow.Verbs.Memory;

/// <summary>One line of /proc/PID/maps: [Start, End), rights, and what is mapped.</summary>
public readonly record struct MemoryMapping(
    ulong Start, ulong End, bool Readable, bool Writable, bool Shared, ulong Offset, ulong Inode, string Path)
{
    public bool IsPrivateAnonymous => !Shared && Inode == 0 && (Path.Length == 0 || Path == "[heap]");

    /// <summary>Parses a line; false when it is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out MemoryMapping mapping)
    {
        mapping = default;
        if (!TryHex(ref line, (byte)'-', out var start) || !TryHex(ref line, (byte)' ', out var end) || line.Length < 5)
            return false;
        var rights = line[..4];
        line = line[5..];
        if (!TryHex(ref line, (byte)' ', out var offset))
            return false;
        var afterDevice = line.IndexOf((byte)' ');
        if (afterDevice < 0)
            return false;
        line = line[(afterDevice + 1)..];
        if (!Utf8Parser.TryParse(line, out ulong inode, out var used))
            return false;
        var path = line[used..].Trim((byte)' ');
        mapping = new MemoryMapping(
            start, end, rights[0] == 'r', rights[1] == 'w', rights[3] == 's', offset, inode,
            path.IsEmpty ? "" : System.Text.Encoding.UTF8.GetString(path));
        return start < end;
    }

    private static bool TryHex(ref ReadOnlySpan<byte> text, byte end, out ulong value)
    {
        if (!Utf8Parser.TryParse(text, out value, out var used, 'x') || used >= text.Length || text[used] != end)
            return false;
        text = text[(used + 1)..];
        return true;
    }
}
