using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary><c>struct bpf_insn</c> of linux/bpf.h, made by name. Registers are numbers: 0 the result, 1 to 5 arguments, 6 to 9 kept, 10 the stack.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct BpfInstruction
{
    private const byte MapOfDescriptor = 1;    // BPF_PSEUDO_MAP_FD
    private const byte MemoryOfDescriptor = 2; // BPF_PSEUDO_MAP_VALUE

    private readonly byte _code;
    private readonly byte _registers;
    private readonly short _offset;
    private readonly int _constant;

    private BpfInstruction(byte code, int destination, int source, int offset, int constant)
    {
        _code = code;
        _registers = (byte)(destination | (source << 4));
        _offset = (short)offset;
        _constant = constant;
    }

    /// <summary>destination = source, 64 bits.</summary>
    public static BpfInstruction Move(int destination, int source) => new(0xbf, destination, source, 0, 0);

    /// <summary>destination = constant, 32 bits.</summary>
    public static BpfInstruction Set(int destination, int constant) => new(0xb4, destination, 0, 0, constant);

    /// <summary>destination += constant.</summary>
    public static BpfInstruction Add(int destination, int constant) => new(0x07, destination, 0, 0, constant);

    /// <summary>destination += source.</summary>
    public static BpfInstruction AddRegister(int destination, int source) => new(0x0f, destination, source, 0, 0);

    /// <summary>destination &amp;= constant.</summary>
    public static BpfInstruction And(int destination, int constant) => new(0x57, destination, 0, 0, constant);

    /// <summary>destination &lt;&lt;= bits.</summary>
    public static BpfInstruction ShiftLeft(int destination, int bits) => new(0x67, destination, 0, 0, bits);

    /// <summary>destination = the 32 bits at source + offset.</summary>
    public static BpfInstruction LoadWord(int destination, int source, int offset) => new(0x61, destination, source, offset, 0);

    /// <summary>The same, 16 bits.</summary>
    public static BpfInstruction LoadHalf(int destination, int source, int offset) => new(0x69, destination, source, offset, 0);

    /// <summary>The same, 64 bits.</summary>
    public static BpfInstruction LoadLong(int destination, int source, int offset) => new(0x79, destination, source, offset, 0);

    /// <summary>The 32 bits at destination + offset = source.</summary>
    public static BpfInstruction StoreWord(int destination, int offset, int source) => new(0x63, destination, source, offset, 0);

    /// <summary>The same, 16 bits.</summary>
    public static BpfInstruction StoreHalf(int destination, int offset, int source) => new(0x6b, destination, source, offset, 0);

    /// <summary>The same, 64 bits.</summary>
    public static BpfInstruction StoreLong(int destination, int offset, int source) => new(0x7b, destination, source, offset, 0);

    /// <summary>Passes over so many instructions when the register is 0.</summary>
    public static BpfInstruction SkipIfZero(int register, int instructions) => new(0x15, register, 0, instructions, 0);

    /// <summary>Passes over so many when the two are different.</summary>
    public static BpfInstruction SkipUnlessEqual(int left, int right, int instructions) => new(0x5d, left, right, instructions, 0);

    /// <summary>Passes over so many when the two are the same.</summary>
    public static BpfInstruction SkipIfEqual(int left, int right, int instructions) => new(0x1d, left, right, instructions, 0);

    /// <summary>Passes over so many when the left one, without a sign, is no greater.</summary>
    public static BpfInstruction SkipUnlessGreater(int left, int right, int instructions) => new(0xbd, left, right, instructions, 0);

    /// <summary>Passes over so many when the lower 32 bits of a register are something else.</summary>
    public static BpfInstruction SkipUnless(int register, uint constant, int instructions) => new(0x56, register, 0, instructions, (int)constant);

    public static BpfInstruction Call(int function) => new(0x85, 0, 0, 0, function);

    public static BpfInstruction Exit() => new(0x95, 0, 0, 0, 0);

    /// <summary>Register = a map, by its descriptor; <see cref="MapRest"/> has to follow.</summary>
    public static BpfInstruction Map(int register, SafeHandle map) => new(0x18, register, MapOfDescriptor, 0, (int)map.DangerousGetHandle());

    /// <summary>Register = where an array's one element is (<see cref="Bpf.TryMapMemory"/>); <see cref="MapRest"/> has to follow.</summary>
    public static BpfInstruction Memory(int register, SafeHandle map) => new(0x18, register, MemoryOfDescriptor, 0, (int)map.DangerousGetHandle());

    public static BpfInstruction MapRest() => default;
}
