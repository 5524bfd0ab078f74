using System.Text;

namespace Freeflow.Lab;

/// <summary>
/// Namespaces and links: a switch with the underlay, and in each host a bridge for its containers and a VXLAN tunnel to the
/// other hosts, laid out as flannel does it.
/// </summary>
public sealed class LabNetwork(LabPaths paths, LabOptions options)
{
    // The same everywhere, whatever this machine prefers, and one that every kernel allows in a namespace.
    private const string CongestionControl = "echo reno > /proc/sys/net/ipv4/tcp_congestion_control";

    private const int FilesOfADisk = 200;

    public void Build()
    {
        Directory.CreateDirectory(Path.Combine(paths.State, "nodes"));
        MountPoint.MakeAndUse(() => Hold(LabLayout.Switch, "", "unshare --net --fork --kill-child sleep infinity"));
        var network = new StringBuilder($"nsenter -t {PidOf(LabLayout.Switch)} -n bash -ec 'ip link add underlay type bridge; ip link set underlay up'\n");
        for (var host = 1; host <= options.Hosts; host++)
            BuildHost(host, network);
        Shell.Script(network.ToString());
    }

    public int PidOf(string node)
    {
        var file = paths.NodeFile(node);
        return File.Exists(file) && int.TryParse(File.ReadAllText(file), out var pid) && Directory.Exists($"/proc/{pid}")
            ? pid
            : throw new LabException($"{node} is not up");
    }

    private void BuildHost(int host, StringBuilder network)
    {
        var name = LabLayout.Host(host);
        var freeflow = paths.FreeflowDirectory(name);
        if (options.DiskBytes > 0)
        {
            var disk = Directory.CreateDirectory(Path.GetDirectoryName(freeflow)!);
            Shell.Script($"mount -t tmpfs -o size={options.DiskBytes},nr_inodes={FilesOfADisk},mode=0755 tmpfs {disk.FullName}");
        }

        Directory.CreateDirectory(freeflow);
        Hold(name, "", "unshare --net --mount --uts --pid --fork --kill-child --mount-proc bash -ec '"
            + $"mount --make-rprivate /; mount --bind {freeflow} /freeflow; mkdir -p /run/freeflow; mount -t tmpfs -o mode=0700 tmpfs /run/freeflow;"
            + $"hostname {name}; touch {paths.NodeFile(name)}.ready; exec sleep infinity'");
        network.AppendLine($"""
            ip link add ff-u{host} netns {PidOf(LabLayout.Switch)} type veth peer name eth0 netns {PidOf(name)}
            nsenter -t {PidOf(LabLayout.Switch)} -n ip link set ff-u{host} master underlay up
            nsenter -t {PidOf(name)} -n bash -ec '
                ip link set lo up
                ip addr add {LabLayout.UnderlayAddress(host)}/24 dev eth0; ip link set eth0 up
                echo 1 > /proc/sys/net/ipv4/ip_forward
                {CongestionControl}
                ip link add cni0 type bridge; ip addr add {LabLayout.OverlayGateway(host)}/24 dev cni0; ip link set cni0 mtu {LabLayout.OverlayMtu} up
                ip link add flannel.1 address {LabLayout.TunnelMac(host)} mtu {LabLayout.OverlayMtu} type vxlan id 1 dev eth0 local {LabLayout.UnderlayAddress(host)} dstport 8472 nolearning
                ip addr add 10.244.{host}.0/32 dev flannel.1; ip link set flannel.1 up
            '
            """);
        for (var other = 1; other <= options.Hosts; other++)
        {
            if (other != host)
                network.AppendLine($"nsenter -t {PidOf(name)} -n bash -ec 'bridge fdb append {LabLayout.TunnelMac(other)} dev flannel.1 dst {LabLayout.UnderlayAddress(other)}; ip neigh replace 10.244.{other}.0 lladdr {LabLayout.TunnelMac(other)} dev flannel.1 nud permanent; ip route replace {LabLayout.OverlaySubnet(other)} via 10.244.{other}.0 dev flannel.1 onlink'");
        }

        for (var container = 1; container <= options.Containers; container++)
            BuildContainer(host, container, network);
    }

    private void BuildContainer(int host, int container, StringBuilder network)
    {
        var name = LabLayout.Container(host, container);
        var root = options.Roots.Of(host, container) ?? "";
        // A tree serves several containers at once: what programs leave in passing must be each one's own, and end with it.
        var files = root.Length == 0
            ? "mount -t sysfs sysfs /sys; mount -t tmpfs -o mode=1777 tmpfs /dev/shm"
            : $"mount --rbind {root} {root}; mkdir -p {root}/freeflow; mount --bind /freeflow {root}/freeflow; mount -t proc proc {root}/proc;"
                + $"mount -t sysfs sysfs {root}/sys; mount --bind /dev {root}/dev;"
                + $"for place in dev/shm tmp; do mount -t tmpfs -o mode=1777 tmpfs {root}/$place; done; mkdir -p {root}/mnt; cd {root}; pivot_root . mnt; umount -l /mnt";

        // Within the host's pid namespace, whose own processes can see it; a router in a namespace of its own can't.
        var hostPid = PidOf(LabLayout.Host(host));
        Hold(name, $"nsenter -t {hostPid} -m -u -p", "unshare --net --mount --uts --pid --fork --kill-child --mount-proc bash -ec '"
            + $"mount --make-rprivate /; mount -t tmpfs tmpfs /run/freeflow; hostname {name}; touch {paths.NodeFile(name)}.ready; {files}; exec sleep infinity'");
        network.AppendLine($"""
            ip link add ff-c{container} netns {hostPid} mtu {LabLayout.OverlayMtu} type veth peer name eth0 netns {PidOf(name)} mtu {LabLayout.OverlayMtu}
            nsenter -t {hostPid} -n ip link set ff-c{container} master cni0 up
            nsenter -t {PidOf(name)} -n bash -ec '
                ip link set lo up; ip addr add {LabLayout.OverlayAddress(host, container)}/24 dev eth0; ip link set eth0 up
                ip route add default via {LabLayout.OverlayGateway(host)}; {CongestionControl}'
            """);
    }

    /// <summary>Starts a process that does nothing but keep namespaces, and writes down the pid by which they are entered.</summary>
    private void Hold(string node, string enter, string command)
    {
        var file = paths.NodeFile(node);
        File.Delete(file + ".ready");
        if (node == LabLayout.Switch)
            File.WriteAllText(file + ".ready", "");
        Shell.Script($"{enter} setsid --fork {command} </dev/null >/dev/null 2>{file}.errors", new Dictionary<string, string>
        {
            [LabPaths.Mark] = paths.State,
            [LabProcesses.Role] = "hold-" + node,
        });
        var processes = new LabProcesses(paths);
        var holder = 0;
        WaitFor.That(
            $"the first process of {node}",
            () => (holder = File.Exists(file + ".ready") ? processes.WithRole("hold-" + node).FirstOrDefault(pid => LabProcesses.NameOf(pid) == "sleep") : 0) != 0,
            () => File.ReadAllText(file + ".errors").Trim());
        File.WriteAllText(file, holder.ToString());
    }
}
