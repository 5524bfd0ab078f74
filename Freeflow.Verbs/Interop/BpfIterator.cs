using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>A program that the kernel runs for each thing of a kind that it has, when it is told to (Documentation/bpf/bpf_iterators.rst).</summary>
internal sealed partial class BpfIterator : IDisposable
{
    private readonly SafeFileHandle _program;
    private readonly SafeFileHandle _link;

    private BpfIterator(SafeFileHandle program, SafeFileHandle link) => (_program, _link) = (program, link);

    /// <summary>Null when the kernel refuses, with its errno. What it takes is taken here: afterwards it only has to run.</summary>
    /// <param name="program">Checked by the kernel.</param>
    /// <param name="kind">The function by which the kernel knows the kind (<see cref="KernelTypes.NumberOf"/>).</param>
    /// <param name="error">0, or what the kernel says.</param>
    public static BpfIterator? TryCreate(ReadOnlySpan<BpfInstruction> program, uint kind, out int error)
    {
        if (Bpf.TryLoadIterator(program, kind, out error) is not { } loaded)
            return null;
        if (Bpf.TryLinkIterator(loaded, out error) is { } link)
            return new BpfIterator(loaded, link);
        loaded.Dispose();
        return null;
    }

    /// <summary>Once over all of this network namespace; 0 or an errno.</summary>
    public int Run()
    {
        using var run = Bpf.TryBeginIterator(_link, out var error);
        if (run is null)
            return error;
        while (Read(run, out _, sizeof(ulong)) is var got && got != 0)
        {
            // The program writes nothing: a read ends where there is no more, or (EAGAIN) after a million.
            if (got < 0 && Marshal.GetLastPInvokeError() is var problem and not (Errno.EAGAIN or Errno.EINTR))
                return problem;
        }

        return 0;
    }

    public void Dispose()
    {
        _link.Dispose();
        _program.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeHandle descriptor, out ulong into, nint bytes);
}
