namespace Freeflow.Lab.VirtualMachines;

/// <summary>The kernel that virtual machines run: an unpacked package of Debian's.</summary>
public sealed class MachineKernel
{
    /// <summary>What it takes, in this order, to have the host's file system; the rest is loaded from there. Some are built in.</summary>
    private static readonly string[] s_firstModules =
    [
        "virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "netfs", "fscache", "9pnet", "9pnet_virtio", "9p", "overlay",
    ];

    /// <summary>The status by which debian-kernel says that there is none to be had on this machine.</summary>
    private const int Unavailable = 77;

    private static readonly TimeSpan s_fetchWithin = TimeSpan.FromMinutes(15);

    private readonly string _directory;

    private MachineKernel(string directory) => _directory = directory;

    /// <summary>The compressed kernel.</summary>
    public string Image => Directory.GetFiles(Path.Combine(_directory, "boot"), "vmlinuz-*").Single();

    /// <summary>What is to be /usr/lib/modules.</summary>
    public string Modules => Path.Combine(_directory, "lib/modules");

    /// <summary>The kernel; or why there are no virtual machines on this machine. Fetches it where it is not there yet.</summary>
    public static (MachineKernel? Kernel, string? Missing) Find(LabPaths paths)
    {
        var made = Shell.Run(s_fetchWithin, null, Path.Combine(paths.Repository, "Freeflow.Lab/debian-kernel"));
        return made.ExitCode switch
        {
            0 => (new MachineKernel(made.Output.Trim()), null),
            Unavailable => (null, made.Errors.Trim()),
            _ => throw new LabException($"no kernel for virtual machines: {made.Everything}"),
        };
    }

    /// <summary>Writes the first file system, in which <paramref name="init"/> is the first program.</summary>
    public void WriteInitialFileSystem(string file, string init)
    {
        var files = new InitialFileSystem();
        foreach (var directory in new[] { "bin", "modules", "proc", "sys", "dev", "under", "root" })
            files.AddDirectory(directory);
        files.AddProgram("bin/busybox", File.ReadAllBytes(Busybox()));
        files.AddProgram("init", File.ReadAllBytes(init));
        var built = Directory.EnumerateFiles(Modules, "*.ko", SearchOption.AllDirectories).ToLookup(path => Path.GetFileNameWithoutExtension(path));
        var order = s_firstModules.Where(module => built[module].Any()).ToList();
        foreach (var module in order)
            files.AddProgram($"modules/{module}.ko", File.ReadAllBytes(built[module].First()));
        files.AddProgram("modules/order", System.Text.Encoding.ASCII.GetBytes(string.Join('\n', order) + '\n'));
        files.WriteTo(file);
    }

    private static string Busybox() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/bin").Select(directory => Path.Combine(directory, "busybox")).FirstOrDefault(File.Exists)
            ?? throw new LabException("busybox is missing");
}
