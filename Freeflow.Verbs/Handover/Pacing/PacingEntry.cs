using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Handover.Pacing;

/// <summary>What the kernel's side knows of a connection (<see cref="PacingProgram"/>).</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct PacingEntry
{
    /// <summary>No limit, as the kernel writes it.</summary>
    public const ulong Unlimited = ulong.MaxValue;

    /// <summary>Bytes a second that it is to have from now on.</summary>
    [FieldOffset(0)]
    public ulong Rate;

    /// <summary>What it was given last: where it has something else, and less, its program has set that.</summary>
    [FieldOffset(8)]
    public ulong Given;

    /// <summary>The program's: bytes that it has sent since it began.</summary>
    [FieldOffset(16)]
    public ulong Sent;

    /// <summary>The program's: not 0 when the kernel has the connection.</summary>
    [FieldOffset(24)]
    public ulong IsThere;
}
