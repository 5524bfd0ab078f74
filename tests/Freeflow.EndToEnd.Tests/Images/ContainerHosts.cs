using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>
/// Two hosts of a lab that run containers by podman, and a router on each from the image, as its documentation has it. The image is built here
/// from the Dockerfile, with this machine's own compilers and SDK in the place of an image that has them.
/// </summary>
public sealed class ContainerHosts : RootLab
{
    public const string Router = "localhost/freeflow", Debian = "localhost/debian";

    private const string BuildBase = "localhost/freeflow-build-base";

    private static readonly string[] s_tools = ["podman", "buildah", "crun"];
    private static readonly TimeSpan s_buildWithin = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan s_loadWithin = TimeSpan.FromMinutes(5);

    private readonly string _storage = Directory.CreateDirectory($"/var/tmp/freeflow-containers.{Environment.ProcessId}").FullName;
    private string? _missing;

    public ContainerHosts()
        : base("containers") => Build(() =>
        {
            if (s_tools.FirstOrDefault(tool => !File.Exists($"/usr/bin/{tool}")) is { } tool)
            {
                _missing = $"{tool} is missing (./prerequisites --tests installs it)";
                return;
            }

            (var root, _missing) = RootOf("bookworm");
            if (root is null)
                return;
            Hosts.Up(new LabOptions { Hosts = 2, Containers = 2, WithoutRouters = true });
            File.WriteAllText(Configuration, $"""
                [containers]
                cgroups="disabled"
                default_ulimits=["nofile={MostDescriptors}:{MostDescriptors}","nproc=1000:1000"]
                seccomp_profile="unconfined"
                [engine]
                runtime="crun"
                cgroup_manager="cgroupfs"
                events_logger="file"
                """);
            foreach (var host in new[] { "h1", "h2" })
            {
                // crun wants one layout of control groups, and some machines have both.
                Hosts.Exec(host, s_loadWithin, "umount", "/sys/fs/cgroup/unified");
                Must(host, s_loadWithin, "import", TarOf(root), Debian);
            }

            BuildImage();
            Must("h1", s_loadWithin, "save", "-q", "-o", Path.Combine(_storage, "image.tar"), Router);
            Must("h2", s_loadWithin, "load", "-q", "-i", Path.Combine(_storage, "image.tar"));
            for (var host = 1; host <= 2; host++)
            {
                Must($"h{host}", s_loadWithin, "run", "-d", "--name", $"router{host}", "--net", "host", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_ADMIN", "--cap-add", "SYS_NICE",
                    "-e", $"FFR_NAME=router{host}", "-e", $"HOST_IP_PREFIX={LabLayout.UnderlayPrefix}", "-e", "FREEFLOW_SEEDS=192.168.50.1", "-v", "/freeflow:/freeflow", Router);
            }

            for (var host = 1; host <= 2; host++)
            {
                var (name, router) = ($"h{host}", $"router{host}");
                WaitFor.That($"{router} seeing two members with links", LabRouters.ClusterWithin, () => Podman(name, "exec", router, "freeflow", "members").Output.Split(" up ").Length > 1,
                    () => Podman(name, "logs", router).Everything);
            }
        });

    /// <summary>What the image is built from; empty where that is no working copy of git's.</summary>
    public string Commit { get; private set; } = "";

    private string Configuration => Path.Combine(_storage, "containers.conf");

    private static string MostDescriptors => File.ReadLines("/proc/self/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];

    /// <summary>Skips the test where containers can't be had.</summary>
    public void MustBeThere() => Skip.If(_missing is not null, _missing);

    public ProgramResult Podman(string host, params IEnumerable<string> words) => Run(host, TimeSpan.FromMinutes(2), words);

    /// <summary>The words that put a container where a lab's one is in the network, with what its programs need.</summary>
    public string[] At(string node, string router) =>
    [
        "--net", $"ns:/proc/{PidInHost(node)}/ns/net", "-e", $"FFR_NAME={router}", "-e", "FFR_ID=c1", "-e", "LD_PRELOAD=/freeflow/libfsocket.so", "-e", $"VNET_PREFIX={LabLayout.OverlayPrefix}",
        "-e", "FREEFLOW_LOG=debug",
    ];

    public override void Dispose()
    {
        base.Dispose();
        Shell.Run(s_loadWithin, null, "rm", "-rf", "--one-file-system", _storage);
        GC.SuppressFinalize(this);
    }

    private ProgramResult Run(string host, TimeSpan bound, IEnumerable<string> words) => Hosts.Exec(
        host, bound, ["env", $"CONTAINERS_CONF={Configuration}", "STORAGE_DRIVER=vfs", "podman", .. Store(host), "--tmpdir", Path.Combine(_storage, host, "tmp"), .. words]);

    private void Must(string host, TimeSpan bound, params IEnumerable<string> words)
    {
        var result = Run(host, bound, words);
        if (result.ExitCode != 0)
            throw new LabException($"podman {string.Join(' ', words)} on {host}: {result.Everything}");
    }

    private string[] Store(string host) => ["--root", Path.Combine(_storage, host, "store"), "--runroot", Path.Combine(_storage, host, "run")];

    private void BuildImage()
    {
        var tree = Path.Combine(_storage, "build-base");
        Shell.Script($"""
            mkdir -p {tree}/usr {tree}/etc {tree}/root {tree}/var/lib/dpkg {tree}/proc {tree}/sys {tree}/dev; mkdir -m 1777 {tree}/tmp
            cp -P /bin /sbin /lib /lib64 {tree}/
            cp -a /etc/alternatives /etc/ssl /etc/ld.so.* /etc/passwd /etc/group /etc/nsswitch.conf {tree}/etc/
            """);
        Must("h1", s_loadWithin, "import", TarOf(tree), BuildBase);
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Commit = Shell.Run(s_loadWithin, null, "git", "-C", Hosts.Paths.Repository, "rev-parse", "--verify", "HEAD").Output.Trim();
        var built = Shell.Run(s_buildWithin, new Dictionary<string, string> { ["CONTAINERS_CONF"] = Configuration, ["STORAGE_DRIVER"] = "vfs" },
            ["buildah", .. Store("h1"), "build", "--isolation", "chroot", "--format", "docker", "--layers=false", "--pull-never", "--network", "host",
            "--build-arg", $"BUILD_BASE={BuildBase}", "--build-arg", $"COMMIT={Commit}",
            "-v", "/usr:/usr:ro", "-v", "/var/lib/dpkg:/var/lib/dpkg:ro", "-v", $"{home}/.nuget:/root/.nuget", "-t", Router, Hosts.Paths.Repository]);
        if (built.ExitCode != 0)
            throw new LabException($"the image can't be built: {built.Everything}");
    }

    private string TarOf(string tree)
    {
        var tar = Path.Combine(_storage, Path.GetFileName(tree) + ".tar");
        if (!File.Exists(tar))
            Shell.Script($"tar -C {tree} --one-file-system -cf {tar} .");
        return tar;
    }

    /// <summary>As the host numbers it.</summary>
    private string PidInHost(string node) => File.ReadLines($"/proc/{File.ReadAllText(Hosts.Paths.NodeFile(node)).Trim()}/status")
        .Single(line => line.StartsWith("NSpid:", StringComparison.Ordinal)).Split('\t')[2];
}
