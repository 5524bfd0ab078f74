using System.Text.Json;

namespace Freeflow.Lab;

/// <summary>
/// A lab: hosts and containers on this machine, as namespaces. Building it takes down what an earlier one left; taking it
/// down leaves nothing.
/// </summary>
public sealed class LabHosts(LabPaths paths)
{
    public LabRouters Routers { get; } = new(paths);

    public LabPaths Paths { get; } = paths;

    /// <summary>What the lab that is up was built with; null when none is.</summary>
    public LabOptions? Current => LabOptions.Of(Paths);

    /// <summary>Builds the lab, or leaves one as it is that was built alike and stands.</summary>
    public void Up(LabOptions options)
    {
        options.Roots.MustFit(Nodes(options));
        if (Current != options || !Stands(options))
        {
            Down();
            new LabNetwork(Paths, options).Build();
            File.WriteAllText(Paths.OptionsFile, JsonSerializer.Serialize(options));
        }

        if (options.WithoutRouters)
            return;
        for (var host = 1; host <= options.Hosts; host++)
            Routers.Start(LabLayout.Host(host), options.RoutersInHostPidNamespace, options.Hosts);
        Routers.AwaitCluster(options.Hosts, LabRouters.ClusterWithin);
    }

    public void Down()
    {
        new LabProcesses(Paths).EndAll();
        foreach (var disk in File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')[1]).Where(place => place.StartsWith(Paths.State + "/", StringComparison.Ordinal)))
            Shell.Script($"umount -l {disk}");
        if (Directory.Exists(Paths.State))
            Directory.Delete(Paths.State, recursive: true);
        MountPoint.RemoveUnlessUsed();
    }

    public IEnumerable<string> Nodes(LabOptions options)
    {
        for (var host = 1; host <= options.Hosts; host++)
        {
            yield return LabLayout.Host(host);
            for (var container = 1; container <= options.Containers; container++)
                yield return LabLayout.Container(host, container);
        }
    }

    /// <summary>Runs a program in a host or container, as `lab exec` does.</summary>
    public ProgramResult Exec(string node, TimeSpan bound, params IEnumerable<string> command) =>
        Shell.Run(bound, Where, ExecLine(node, command));

    /// <summary>The same with all capabilities, as `lab exec --privileged` does.</summary>
    public ProgramResult ExecPrivileged(string node, TimeSpan bound, params IEnumerable<string> command) =>
        Shell.Run(bound, Where, [Path.Combine(Paths.Repository, "lab"), "exec", "--privileged", node, "--", .. command]);

    public BackgroundProgram Start(string node, params IEnumerable<string> command) =>
        BackgroundProgram.Start(Where, ExecLine(node, command));

    /// <summary>The processes in a host's or container's pid namespace, with the pids by which this machine knows them.</summary>
    public IEnumerable<(int Pid, string Name)> ProcessesIn(string node) =>
        new LabProcesses(Paths).SharingPidsWith(int.Parse(File.ReadAllText(Paths.NodeFile(node))));

    /// <summary>The sockets that the kernel has in a host's or container's network namespace.</summary>
    /// <param name="node">Which.</param>
    /// <param name="protocol">tcp or udp.</param>
    public IEnumerable<KernelSocket> SocketsIn(string node, string protocol) => KernelSocket.Of(File.ReadAllText(Paths.NodeFile(node)).Trim(), protocol);

    /// <summary>Whether there is a TCP listener on that port in a host or container.</summary>
    public bool ListensOverTcp(string node, int port) =>
        SocketsIn(node, "tcp").Any(socket => socket.LocalPort == port && socket.State == KernelSocket.Listening);

    private Dictionary<string, string> Where => new() { ["FREEFLOW_LAB_DIR"] = Paths.State };

    private IEnumerable<string> ExecLine(string node, IEnumerable<string> command) =>
        [Path.Combine(Paths.Repository, "lab"), "exec", node, "--", .. command];

    private bool Stands(LabOptions options)
    {
        var network = new LabNetwork(Paths, options);
        try
        {
            return Nodes(options).Append(LabLayout.Switch).All(node => network.PidOf(node) > 0);
        }
        catch (LabException)
        {
            return false;
        }
    }
}
