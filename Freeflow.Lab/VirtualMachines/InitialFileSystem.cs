using System.Text;

namespace Freeflow.Lab.VirtualMachines;

/// <summary>A kernel's first file system: an archive in cpio's "newc" format, as the kernel's Documentation/driver-api/early-userspace has it.</summary>
public sealed class InitialFileSystem
{
    private const int DirectoryMode = 0x41ED;
    private const int ProgramMode = 0x81ED;
    private const int Alignment = 4;

    private readonly MemoryStream _archive = new();
    private int _entries;

    public void AddDirectory(string path) => Add(path, DirectoryMode, []);

    /// <summary>A file that may be executed.</summary>
    public void AddProgram(string path, byte[] content) => Add(path, ProgramMode, content);

    public void WriteTo(string file)
    {
        Add("TRAILER!!!", 0, []);
        File.WriteAllBytes(file, _archive.ToArray());
    }

    private void Add(string path, int mode, byte[] content)
    {
        // Magic, then in 8 hexadecimal digits each: inode, mode, uid, gid, links, mtime, size, device and its number (2 + 2), length of the name with its 0, checksum.
        int[] fields = [++_entries, mode, 0, 0, 1, 0, content.Length, 0, 0, 0, 0, path.Length + 1, 0];
        _archive.Write(Encoding.ASCII.GetBytes("070701" + string.Concat(fields.Select(field => field.ToString("X8"))) + path + '\0'));
        Pad();
        _archive.Write(content);
        Pad();
    }

    private void Pad()
    {
        while (_archive.Length % Alignment != 0)
            _archive.WriteByte(0);
    }
}
