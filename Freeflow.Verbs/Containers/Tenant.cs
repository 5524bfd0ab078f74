using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Freeflow.Verbs.Containers;

/// <summary>
/// Whose containers these are. Addresses mean something within a tenant only, and only those of one tenant reach each other.
/// On the wire a tenant is the first eight bytes of its name's SHA-256.
/// </summary>
public sealed record Tenant(string Name)
{
    public static Tenant Default { get; } = new("default");

    public ulong Key { get; } = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(Name)));
}
