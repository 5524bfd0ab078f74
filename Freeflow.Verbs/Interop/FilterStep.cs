using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary><c>struct sock_filter</c> of linux/filter.h, for filters of system calls.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FilterStep
{
    private readonly ushort _code;
    private readonly byte _ifTrue;
    private readonly byte _ifFalse;
    private readonly uint _constant;

    private FilterStep(ushort code, int ifTrue, int ifFalse, uint constant) =>
        (_code, _ifTrue, _ifFalse, _constant) = (code, (byte)ifTrue, (byte)ifFalse, constant);

    /// <summary>Takes 32 bits of <c>struct seccomp_data</c>, whose offset is given.</summary>
    public static FilterStep Load(uint offset) => new(0x20, 0, 0, offset);

    /// <summary>What was taken &amp; constant.</summary>
    public static FilterStep And(uint constant) => new(0x54, 0, 0, constant);

    /// <summary>Passes over so many steps when it is this, or when it is not.</summary>
    public static FilterStep IfEqual(uint constant, int passOver, int elsePassOver = 0) => new(0x15, passOver, elsePassOver, constant);

    /// <summary>The same for at least this.</summary>
    public static FilterStep IfAtLeast(uint constant, int passOver, int elsePassOver = 0) => new(0x35, passOver, elsePassOver, constant);

    public static FilterStep Return(uint verdict) => new(0x06, 0, 0, verdict);
}
