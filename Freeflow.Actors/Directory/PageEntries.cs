using System.Buffers.Binary;
using Freeflow.Verbs.Abi;

namespace Freeflow.Actors.Directory;

/// <summary>The bytes of a page's entries: for each the tenant's key and the time, little-endian, and the address, 32 bytes together.</summary>
internal static class PageEntries
{
    /// <summary>A page is small enough for two dozen of them, which gossip puts into one frame.</summary>
    public const int PerPage = 128;

    private const int EntryBytes = 32;
    private const int SinceAt = 8;
    private const int AddressAt = 16;

    public static bool AreSound(byte[]? bytes) => bytes is { Length: <= PerPage * EntryBytes } && bytes.Length % EntryBytes == 0;

    public static byte[] Pack(IReadOnlyCollection<PageEntry> entries)
    {
        var bytes = new byte[entries.Count * EntryBytes];
        var rest = bytes.AsSpan();
        foreach (var entry in entries)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, entry.Address.Tenant);
            BinaryPrimitives.WriteInt64LittleEndian(rest[SinceAt..], entry.Since);
            entry.Address.Address.CopyTo(rest[AddressAt..]);
            rest = rest[EntryBytes..];
        }

        return bytes;
    }

    /// <summary>Of sound ones only.</summary>
    public static IEnumerable<PageEntry> Of(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length; at += EntryBytes)
        {
            yield return new PageEntry(
                new TenantAddress(BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at)), new Gid(bytes.AsSpan(at + AddressAt, EntryBytes - AddressAt))),
                BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + SinceAt)));
        }
    }
}
