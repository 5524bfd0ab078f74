using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>
/// A lab beside the shared one with one host, whose log and whose /freeflow are on a file system of their own that holds little. So is the
/// directory of the operator's socket.
/// </summary>
public sealed class FullDiskLab : LabFixture
{
    public const string Host = "h1";

    public FullDiskLab()
        : base("full")
    {
        // Each program that opens the device is told of in the log then.
        Hosts.Up(new() { Hosts = 1, Containers = 3, DiskBytes = 4 << 20, Settings = ["freeflow.log-level=debug"] });
        InHost("mount -o remount,size=64k,nr_inodes=32 /run/freeflow");
    }

    private string Disk => Path.GetDirectoryName(Hosts.Paths.RouterLog(Host))!;

    /// <summary>Leaves no room on either, neither for bytes nor for files, until it is disposed.</summary>
    public IDisposable Fill() => new Full(this);

    private void InHost(string script) =>
        Shell.Script($"nsenter -t {File.ReadAllText(Hosts.Paths.NodeFile(Host)).Trim()} -m sh -ec '{script}'");

    private sealed class Full : IDisposable
    {
        // Files first: they take no bytes.
        private const string Filling = "mkdir filler; n=0; while touch filler/$n 2>/dev/null; do n=$((n + 1)); done; dd if=/dev/zero of=filler/0 bs=4k 2>/dev/null || true";

        private readonly FullDiskLab _lab;

        public Full(FullDiskLab lab)
        {
            _lab = lab;
            Shell.Script($"cd {lab.Disk}; {Filling}");
            // What has room in the log's last block would be written still.
            Shell.Script($"truncate -s %4096 {lab.Hosts.Paths.RouterLog(Host)}");
            lab.InHost($"cd /run/freeflow; {Filling}");
        }

        public void Dispose()
        {
            Shell.Script($"rm -rf {_lab.Disk}/filler");
            _lab.InHost("rm -rf /run/freeflow/filler");
        }
    }
}
