namespace Freeflow.Lab.VirtualMachines;

/// <summary>
/// A virtual machine with a kernel's own Soft-RoCE device, rxe0. It sees this machine's file system and writes over it in its
/// memory, so that this machine's programs and the build's run in it as they are. QEMU emulates its processors: KVM is to be had on few
/// machines, and where it is nested in another one it fails in ways of its own.
/// </summary>
public sealed class VirtualMachine(LabPaths paths, string name)
{
    /// <summary>What the role of a machine's process begins with.</summary>
    public const string Role = "machine-";

    /// <summary>The device that ibv_devices shows in it.</summary>
    public const string Device = "rxe0";

    /// <summary>The index of the device's GID that has its IPv4 address.</summary>
    public const int GidIndex = 1;

    /// <summary>A machine is there after 10 s when it is emulated on a quiet one.</summary>
    private static readonly TimeSpan s_bootWithin = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan s_endWithin = TimeSpan.FromSeconds(30);

    /// <summary>A panic's reason stands above its registers and its trace.</summary>
    private const int ConsoleLines = 80;

    public string Name => name;

    public bool IsRunning => Pids.Any();

    /// <summary>The end of what its kernel and its first programs have said.</summary>
    public string ConsoleEnd => EndOf("console");

    private string Place => Path.Combine(paths.State, name);

    private string Share => Path.Combine(Place, "share");

    private IEnumerable<int> Pids => new LabProcesses(paths).WithRole(Role + name);

    private string Scripts => Path.Combine(paths.Repository, "Freeflow.Lab/VirtualMachines");

    /// <summary>Starts it, and returns before it is ready.</summary>
    public void Begin(MachineKernel kernel, MachineOptions options)
    {
        var inside = Path.Combine(Share, "inside");
        Directory.CreateDirectory(inside);
        foreach (var script in new[] { "start", "agent" })
            File.Copy(Path.Combine(Scripts, "inside", script), Path.Combine(inside, script), overwrite: true);
        kernel.WriteInitialFileSystem(Path.Combine(Place, "initramfs"), Path.Combine(Scripts, "inside/init"));
        var started = Shell.Run(
            TimeSpan.FromSeconds(30),
            new Dictionary<string, string> { [LabPaths.Mark] = paths.State, [LabProcesses.Role] = Role + name },
            ["setsid", "--fork", "bash", "-c", "exec \"$@\" </dev/null >\"$0\" 2>&1", Path.Combine(Place, "qemu"), "qemu-system-x86_64", .. Words(kernel, options)]);
        if (started.ExitCode != 0)
            throw new LabException($"{name} does not start: {started.Everything}");
    }

    /// <summary>Waits until programs can be run in it.</summary>
    public void AwaitReady()
    {
        var (ready, failed) = (Path.Combine(Share, "ready"), Path.Combine(Share, "failed"));
        WaitFor.That($"{name} ready to run programs", s_bootWithin, () => File.Exists(ready) || File.Exists(failed) || !IsRunning, () => ConsoleEnd);
        if (File.Exists(failed))
            throw new LabException($"{name} is not ready: {File.ReadAllText(failed).Trim()}; {ConsoleEnd}");
        if (!File.Exists(ready))
            throw new LabException($"{name} has ended before it was ready: {EndOf("qemu")}; {ConsoleEnd}");
    }

    /// <summary>Runs a program in it; one that goes on beyond the bound is ended, with exit status 124.</summary>
    public ProgramResult Run(TimeSpan bound, params IEnumerable<string> command)
    {
        var result = Shell.Run(bound, null, Line(command));
        return result.ExitCode == 124 ? result with { Errors = $"{result.Errors}\nin {name}; {ConsoleEnd}" } : result;
    }

    public BackgroundProgram Start(params IEnumerable<string> command) => BackgroundProgram.Start(null, Line(command));

    /// <summary>Ends it as when its power goes, and removes what it has left.</summary>
    public void Remove()
    {
        foreach (var pid in Pids)
            LabProcesses.Kill(pid, "KILL");
        WaitFor.That($"the end of {name}", s_endWithin, () => !IsRunning);
        if (Directory.Exists(Place))
            Directory.Delete(Place, recursive: true);
    }

    private IEnumerable<string> Line(IEnumerable<string> command) => [Path.Combine(Scripts, "enter-machine"), Place, .. command];

    private IEnumerable<string> Words(MachineKernel kernel, MachineOptions options)
    {
        var console = $"console=ttyS0 panic=-1 mitigations=off tsc=reliable nokaslr random.trust_cpu=on net.ifnames=0";
        var own = $"freeflow.name={name} freeflow.address={options.Address} freeflow.wired={(options.WireMac is null ? 0 : 1)} freeflow.repository={paths.Repository}";
        IEnumerable<string> words =
        [
            "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", $"{options.Processors}", "-m", $"{options.Memory}",
            "-nodefaults", "-display", "none", "-no-reboot", "-pidfile", Path.Combine(Place, "pid"),
            "-kernel", kernel.Image, "-initrd", Path.Combine(Place, "initramfs"), "-append", $"{console} {own}",
            "-serial", $"file:{Path.Combine(Place, "console")}",
            "-chardev", $"socket,id=bell,path={Quoted(Path.Combine(Place, "bell"))},server=on,wait=off", "-serial", "chardev:bell",
            .. SharedDirectory("host", "/", writable: false), .. SharedDirectory("modules", kernel.Modules, writable: false), .. SharedDirectory("share", Share, writable: true),
        ];
        return options.WireMac is null ? words : words.Concat(
        [
            "-netdev", $"stream,id=wire,server={(options.WireListens ? "on" : "off")},addr.type=unix,addr.path={Quoted(WireOf(paths))}",
            "-device", $"virtio-net-pci,netdev=wire,mac={options.WireMac}",
        ]);
    }

    /// <summary>The socket at which the two ends of the wire meet.</summary>
    internal static string WireOf(LabPaths paths) => Path.Combine(paths.State, "wire");

    private static IEnumerable<string> SharedDirectory(string tag, string directory, bool writable) =>
        ["-virtfs", $"local,path={Quoted(directory)},mount_tag={tag},security_model=none,multidevs=remap{(writable ? "" : ",readonly=on")}"];

    /// <summary>As QEMU's options take a comma.</summary>
    private static string Quoted(string path) => path.Replace(",", ",,");

    private string EndOf(string log)
    {
        var file = Path.Combine(Place, log);
        var lines = File.Exists(file) ? File.ReadLines(file).Where(line => line.Trim().Length > 0).TakeLast(ConsoleLines) : [];
        return $"its {log} ends:\n{string.Join('\n', lines)}";
    }
}
