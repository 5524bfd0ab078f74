using System.Buffers.Binary;

namespace Freeflow.Verbs.Interop;

/// <summary>
/// The running kernel's own types, as it tells of them (BTF, Documentation/bpf/btf.rst): where the members of its structures are, which
/// is another place with each kernel, and by which number a program names one of its functions.
/// </summary>
internal sealed class KernelTypes
{
    private const string Path = "/sys/kernel/btf/vmlinux";
    private const ushort Magic = 0xeb9f;
    private const int HeaderBytes = 24;
    private const int TypeBytes = 12;
    private const int MemberBytes = 12;

    private const int Structure = 4;
    private const int Function = 12;

    private readonly byte[] _bytes;
    private readonly int _types;
    private readonly int _typesEnd;
    private readonly int _names;

    private KernelTypes(byte[] bytes)
    {
        var header = bytes.AsSpan(0, HeaderBytes);
        if (BinaryPrimitives.ReadUInt16LittleEndian(header) != Magic)
            throw new InvalidDataException("no BTF of this byte order");
        _bytes = bytes;
        var behind = Number(4);
        _types = behind + Number(8);
        _typesEnd = _types + Number(12);
        _names = behind + Number(16);
    }

    /// <summary>Null where the kernel does not tell (CONFIG_DEBUG_INFO_BTF, Linux 5.4), or in a way that is not known here.</summary>
    public static KernelTypes? Read()
    {
        try
        {
            return new KernelTypes(File.ReadAllBytes(Path));
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>By which programs are attached to a function; null: there is none of this name.</summary>
    public uint? NumberOf(ReadOnlySpan<byte> function)
    {
        foreach (var (number, _, _) in All(Function, function.ToArray()))
            return number;
        return null;
    }

    /// <summary>In bytes from the structure's start; null: it has no such member by itself.</summary>
    public int? OffsetOf(ReadOnlySpan<byte> structure, ReadOnlySpan<byte> member)
    {
        var name = member.ToArray();
        foreach (var (_, at, info) in All(Structure, structure.ToArray()))
        {
            var hasBitfields = info >> 31 != 0;
            for (var i = 0; i < (ushort)info; i++)
            {
                var place = at + TypeBytes + (i * MemberBytes);
                if (!IsNamed(Number(place), name))
                    continue;
                var bits = hasBitfields ? Number(place + 8) & 0xffffff : Number(place + 8);
                return bits / 8;
            }
        }

        return null;
    }

    private IEnumerable<(uint Number, int At, uint Info)> All(int kind, byte[] name)
    {
        uint number = 1;
        for (var at = _types; at + TypeBytes <= _typesEnd; number++)
        {
            var info = (uint)Number(at + 4);
            var its = (int)(info >> 24) & 0x1f;
            if (its == kind && IsNamed(Number(at), name))
                yield return (number, at, info);
            if (BytesBehind(its, (ushort)info) is not { } behind)
                yield break;
            at += TypeBytes + behind;
        }
    }

    private static int? BytesBehind(int kind, int count) => kind switch
    {
        1 or 14 or 17 => 4,         // INT, VAR, DECL_TAG
        3 => 12,                    // ARRAY
        4 or 5 or 15 or 19 => 12 * count, // STRUCT, UNION, DATASEC, ENUM64
        6 or 13 => 8 * count,       // ENUM, FUNC_PROTO
        < 19 => 0,
        _ => null,
    };

    private bool IsNamed(int offset, byte[] name)
    {
        var rest = _bytes.AsSpan(_names + offset);
        return rest.Length > name.Length && rest[name.Length] == 0 && rest.StartsWith(name);
    }

    private int Number(int at) => BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(at));
}
