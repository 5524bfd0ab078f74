namespace Freeflow.Fuzz.Objects;

/// <summary>An object that the process has made.</summary>
internal sealed class DeviceObject(Kind kind, uint handle)
{
    public Kind Kind { get; } = kind;

    public uint Handle { get; } = handle;

    /// <summary>QPN of a QP, number of an address handle, rkey of a window.</summary>
    public uint Number { get; init; }

    public uint LocalKey { get; init; }

    public uint RemoteKey { get; set; }

    public ulong Start { get; init; }

    public ulong Length { get; init; }

    /// <summary>Of a QP.</summary>
    public byte Type { get; init; }

    /// <summary>The PD that it was made in.</summary>
    public uint Domain { get; init; }

    public MappedRing? SendRing { get; set; }

    /// <summary>Receives of a QP or SRQ, completions of a CQ.</summary>
    public MappedRing? Ring { get; set; }

    public IEnumerable<MappedRing> Rings => new[] { SendRing, Ring }.OfType<MappedRing>();
}
