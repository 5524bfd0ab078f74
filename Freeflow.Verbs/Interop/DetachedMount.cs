using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>File systems that are mounted nowhere (fsopen(2), fsmount(2), open_tree(2), mount_setattr(2); needs CAP_SYS_ADMIN).</summary>
internal static unsafe partial class DetachedMount
{
    private const long OpenTree = 428;
    private const long FsOpen = 430;
    private const long FsConfig = 431;
    private const long FsMount = 432;
    private const long MountSetAttribute = 442;
    private const int CloseOnExec = 1;
    private const int SetString = 1;
    private const int CreateCommand = 6;
    private const int TreeClone = 1;
    private const int TreeCloseOnExec = 0x80000;
    private const int EmptyPath = 0x1000;
    private const ulong ReadOnlyNoSuidNoDevNoExec = 0x1 | 0x2 | 0x4 | 0x8;
    private const ulong NoSuidNoDevNoExec = 0x2 | 0x4 | 0x8;

    /// <summary>A new tmpfs, writable through the returned directory descriptor.</summary>
    public static SafeFileHandle NewTmpfs(params (string Key, string Value)[] options)
    {
        nint name = 0;
        try
        {
            name = Marshal.StringToCoTaskMemUTF8("tmpfs");
            using var context = new SafeFileHandle((nint)Check(Call(FsOpen, name, CloseOnExec, 0, 0, 0), "fsopen"), true);
            foreach (var (key, value) in options)
                Configure(context, SetString, key, value);
            Configure(context, CreateCommand, null, null);
            return new SafeFileHandle(
                (nint)Check(Call(FsMount, context.DangerousGetHandle(), CloseOnExec, (nint)NoSuidNoDevNoExec, 0, 0), "fsmount"), true);
        }
        finally
        {
            Marshal.FreeCoTaskMem(name);
        }
    }

    /// <summary>
    /// A second mount of the same file system, read-only and for nobody to get out of. Null on kernels before 6.15, which
    /// clone no detached mount.
    /// </summary>
    public static SafeFileHandle? TryCloneReadOnly(SafeHandle mount)
    {
        var empty = stackalloc byte[1];
        var clone = Call(OpenTree, mount.DangerousGetHandle(), (nint)empty, EmptyPath | TreeClone | TreeCloseOnExec, 0, 0);
        if (clone < 0)
            return null;
        var handle = new SafeFileHandle((nint)clone, true);
        MakeReadOnly(handle);
        return handle;
    }

    public static void MakeReadOnly(SafeHandle mount)
    {
        var empty = stackalloc byte[1];
        var attributes = stackalloc ulong[4];
        attributes[0] = ReadOnlyNoSuidNoDevNoExec;
        attributes[1] = attributes[2] = attributes[3] = 0;
        Check(Call(MountSetAttribute, mount.DangerousGetHandle(), (nint)empty, EmptyPath, (nint)attributes, 4 * sizeof(ulong)), "mount_setattr");
    }

    private static void Configure(SafeHandle context, int command, string? key, string? value)
    {
        var keyText = Marshal.StringToCoTaskMemUTF8(key);
        var valueText = Marshal.StringToCoTaskMemUTF8(value);
        try
        {
            Check(Call(FsConfig, context.DangerousGetHandle(), command, keyText, valueText, 0), $"fsconfig {key}");
        }
        finally
        {
            Marshal.FreeCoTaskMem(keyText);
            Marshal.FreeCoTaskMem(valueText);
        }
    }

    private static long Check(long result, string call) =>
        result < 0 ? throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}") : result;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Call(long number, nint first, nint second, nint third, nint fourth, nint fifth);
}
