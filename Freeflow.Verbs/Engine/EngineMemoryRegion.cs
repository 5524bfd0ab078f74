using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Engine;

/// <summary>A registered memory region: a window of addresses [<see cref="Iova"/>, + <see cref="Length"/>) onto a process's memory.</summary>
public sealed class EngineMemoryRegion(
    EngineConnection connection, uint localKey, uint remoteKey, uint protectionDomain, ulong iova, RegisteredMemory memory, AccessFlags access)
{
    public EngineConnection Connection { get; } = connection;

    public uint LocalKey { get; } = localKey;

    public uint RemoteKey { get; } = remoteKey;

    /// <summary>Router-wide number of the PD.</summary>
    public uint ProtectionDomain { get; internal set; } = protectionDomain;

    /// <summary>The address by which work requests name the region's first byte.</summary>
    public ulong Iova { get; } = iova;

    public ulong Length => Memory.Length;

    public RegisteredMemory Memory { get; } = memory;

    public AccessFlags Access { get; internal set; } = access;

    /// <summary>Memory windows that are bound to it.</summary>
    internal int Windows { get; set; }

    /// <summary>Whether [address, address + length) lies inside.</summary>
    internal bool Covers(ulong address, ulong length) =>
        address >= Iova && length <= Length && address - Iova <= Length - length;

    /// <summary>The process's own address of a work request's address.</summary>
    internal ulong Translate(ulong address) => address - Iova + Memory.Address;
}
