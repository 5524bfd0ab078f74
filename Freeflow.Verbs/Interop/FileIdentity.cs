using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>What tells an open file, socket or namespace from every other one that is open (statx(2)).</summary>
public readonly partial record struct FileIdentity(ulong Device, ulong Inode)
{
    public static FileIdentity Of(SafeHandle handle)
    {
        // struct statx: stx_ino at 32, stx_dev_major and _minor at 136.
        const int emptyPath = 0x1000;
        const uint inode = 0x100;
        Span<byte> status = stackalloc byte[256];
        if (Status(handle, "", emptyPath, inode, ref MemoryMarshal.GetReference(status)) < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"statx: {Marshal.GetLastPInvokeErrorMessage()}");
        var device = ((ulong)MemoryMarshal.Read<uint>(status[136..]) << 32) | MemoryMarshal.Read<uint>(status[140..]);
        return new FileIdentity(device, MemoryMarshal.Read<ulong>(status[32..]));
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(SafeHandle directory, string path, int flags, uint mask, ref byte status);
}
