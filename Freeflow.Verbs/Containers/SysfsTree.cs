using System.Runtime.InteropServices;
using System.Text;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Containers;

/// <summary>
/// What a container's libraries read below /sys: a tmpfs of its own that is mounted nowhere. The router writes through
/// one mount of it; processes get the directory of a second, read-only one, out of which no path leads.
/// </summary>
public sealed partial class SysfsTree : IDisposable
{
    private const int OpenDirectoryFlags = 0x10000 | 0x80000;
    private static readonly UnixFileMode s_file = (UnixFileMode)0b100_100_100;
    private static readonly UnixFileMode s_directory = (UnixFileMode)0b111_101_101;

    private readonly Lock _gate = new();
    private HashSet<string> _published = [];
    private SafeFileHandle _writable;
    private SafeFileHandle? _readOnly;

    public SysfsTree()
    {
        _writable = NewTmpfs();
        _readOnly = DetachedMount.TryCloneReadOnly(_writable);
    }

    /// <summary>
    /// Makes the tree hold exactly these files (path below /sys → content). Each file changes at once, so that a reader
    /// sees the old or the new content. Processes that have the directory already see the changes, save on kernels before
    /// 6.15, where only those that ask later do.
    /// </summary>
    public void Publish(IReadOnlyDictionary<string, string> files)
    {
        lock (_gate)
        {
            if (_readOnly is null && _published.Count > 0)
            {
                _writable.Dispose();
                _writable = NewTmpfs();
                _published = [];
            }

            var root = $"/proc/self/fd/{_writable.DangerousGetHandle()}";
            foreach (var gone in _published.Where(path => !files.ContainsKey(path)))
                File.Delete(Path.Combine(root, gone));
            foreach (var (path, content) in files)
                Write(root, path, content);
            _published = [.. files.Keys];
            if (_readOnly is null)
                DetachedMount.MakeReadOnly(_writable);
        }
    }

    /// <summary>The tree's root, for a process to keep. The caller disposes it after sending.</summary>
    public SafeFileHandle OpenDirectory()
    {
        lock (_gate)
        {
            var descriptor = OpenAt(_readOnly ?? _writable, ".", OpenDirectoryFlags);
            return descriptor < 0
                ? throw new IOException($"opening the sysfs tree: {Marshal.GetLastPInvokeErrorMessage()}")
                : new SafeFileHandle(descriptor, true);
        }
    }

    public void Dispose()
    {
        _writable.Dispose();
        _readOnly?.Dispose();
    }

    private static SafeFileHandle NewTmpfs() =>
        DetachedMount.NewTmpfs(("size", "1m"), ("nr_inodes", "4096"), ("mode", "0755"));

    private static void Write(string root, string path, string content)
    {
        var file = Path.Combine(root, path);
        var directory = Path.GetDirectoryName(file)!;
        if (!Directory.Exists(directory))
            Directory.CreateDirectory(directory, s_directory);
        var temporary = Path.Combine(root, ".new");
        File.WriteAllBytes(temporary, Encoding.UTF8.GetBytes(content));
        File.SetUnixFileMode(temporary, s_file);
        File.Move(temporary, file, overwrite: true);
    }

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(SafeHandle directory, string path, int flags);
}
