using System.Runtime.InteropServices;
using System.Text;

namespace Freeflow.Verbs.Interop;

/// <summary>
/// Files of a process's own directory in /proc, as the process itself has opened and passed them. A container can pass
/// anything, so each is proven to be what it should be: a FIFO in its place would stop the reader.
/// </summary>
internal static unsafe partial class ProcFile
{
    public const int ReadOnly = 0;
    public const int ReadWrite = 2;

    private const int GetFlags = 3;
    private const int AccessModeMask = 3;
    private const long ProcMagic = 0x9fa0;

    /// <summary>The directory under /proc that the file is in; throws ArgumentException when it is not the file that it should be.</summary>
    public static string ProcessOf(SafeHandle file, string name, int access)
    {
        string path;
        Span<byte> status = stackalloc byte[256];
        fixed (byte* buffer = status)
        {
            if (FileSystemOf(file, buffer) < 0 || *(long*)buffer != ProcMagic)
                throw new ArgumentException($"the descriptor for {name} is not of procfs");
            var length = LinkOf($"/proc/self/fd/{file.DangerousGetHandle()}", buffer, status.Length);
            path = length <= 0 ? "" : Encoding.UTF8.GetString(status[..(int)length]);
            if (!path.EndsWith(name, StringComparison.Ordinal))
                throw new ArgumentException($"the descriptor for {name} is another file");
        }

        if ((Control(file, GetFlags, 0) & AccessModeMask) != access)
            throw new ArgumentException($"the descriptor for {name} is opened in the wrong mode");
        return path[..^name.Length];
    }

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    private static partial int FileSystemOf(SafeHandle file, byte* status);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint LinkOf(string path, byte* into, nint bytes);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeHandle file, int command, int argument);
}
