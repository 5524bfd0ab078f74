using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>
/// Takes from all threads of this process, those to come included, the system calls that a router never makes and that would let whoever
/// has taken it over do most harm (seccomp(2)). They fail with EPERM.
/// </summary>
public static unsafe partial class SystemCallFilter
{
    private const int SetModeFilter = 1;
    private const int AllThreads = 1; // SECCOMP_FILTER_FLAG_TSYNC
    private const uint Allow = 0x7fff0000;
    private const uint RefuseWith = 0x00050000;

    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;
    private const uint FirstArgument = 16;
    private const uint SecondArgument = 24;

    private const uint NewNetwork = 0x40000000;     // CLONE_NEWNET
    private const uint AnyNamespace = 0x7e020000;   // CLONE_NEW*
    private const uint PacketFamily = 17;           // AF_PACKET
    private const uint LastPlainBpfCommand = 5;     // maps, and loading a program
    private const uint IteratorCreate = 33;         // running what was linked before
    private const uint ForeignNumbers = 0x40000000; // of the x32 ABI

    /// <summary>0, or an errno; ENOSYS where there is no filter for this architecture.</summary>
    public static int Install() => Install(AllThreads);

    /// <summary>From the calling thread, and those that it makes.</summary>
    internal static int InstallHere() => Install(0);

    private static int Install(int flags)
    {
        if (SystemCallNumbers.OfThisMachine is not { } numbers)
            return Errno.ENOSYS;
        var steps = Program(numbers);
        fixed (FilterStep* start = steps)
        {
            var program = new Header { Length = (ushort)steps.Length, Steps = start };
            var result = Call(numbers.Seccomp, SetModeFilter, flags, &program);
            // With TSYNC the number of a thread that can't follow, if there is one.
            return result == 0 ? 0 : result > 0 ? Errno.EBUSY : Marshal.GetLastPInvokeError();
        }
    }

    private static FilterStep[] Program(SystemCallNumbers numbers)
    {
        const uint refused = RefuseWith | Errno.EPERM;
        const uint unknown = RefuseWith | Errno.ENOSYS;
        List<FilterStep> steps =
        [
            FilterStep.Load(ArchitectureOffset),
            FilterStep.IfEqual(numbers.Architecture, 1),
            FilterStep.Return(unknown),
            FilterStep.Load(NumberOffset),
            FilterStep.IfAtLeast(ForeignNumbers, 0, 1),
            FilterStep.Return(unknown),
        ];
        foreach (var number in numbers.Never)
            steps.AddRange([FilterStep.IfEqual(number, 0, 1), FilterStep.Return(refused)]);

        // Its flags are where no filter sees them; libc uses clone(2) instead.
        steps.AddRange([FilterStep.IfEqual(numbers.Clone3Call, 0, 1), FilterStep.Return(unknown)]);
        steps.AddRange(
        [
            FilterStep.IfEqual(numbers.CloneCall, 0, 5), FilterStep.Load(FirstArgument), FilterStep.And(AnyNamespace),
            FilterStep.IfEqual(0, 1), FilterStep.Return(refused), FilterStep.Return(Allow),
        ]);
        steps.AddRange(OnlyWhere(numbers.SetNamespace, SecondArgument, FilterStep.IfEqual(NewNetwork, 1), refused));
        steps.AddRange(
        [
            FilterStep.IfEqual(numbers.Bpf, 0, 5), FilterStep.Load(FirstArgument), FilterStep.IfEqual(IteratorCreate, 2, 0),
            FilterStep.IfAtLeast(LastPlainBpfCommand + 1, 0, 1), FilterStep.Return(refused), FilterStep.Return(Allow),
        ]);
        steps.AddRange(OnlyWhere(numbers.Socket, FirstArgument, FilterStep.IfEqual(PacketFamily, 0, 1), refused));
        steps.Add(FilterStep.Return(Allow));
        return [.. steps];
    }

    /// <summary>A call that is refused unless <paramref name="test"/> of an argument passes over the refusal.</summary>
    private static FilterStep[] OnlyWhere(uint number, uint argument, FilterStep test, uint refused) =>
        [FilterStep.IfEqual(number, 0, 4), FilterStep.Load(argument), test, FilterStep.Return(refused), FilterStep.Return(Allow)];

    /// <summary><c>struct sock_fprog</c> of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct Header
    {
        [FieldOffset(0)]
        public ushort Length;

        [FieldOffset(8)]
        public FilterStep* Steps;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial int Call(nint number, nint operation, nint flags, Header* program);
}
