using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Freeflow.Lab;

/// <summary>The routers of a lab's hosts.</summary>
public sealed class LabRouters(LabPaths paths)
{
    /// <summary>How long routers that start may take to be a cluster: seconds, and many times that on a machine with other work.</summary>
    public static readonly TimeSpan ClusterWithin = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan s_stopWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_answerWithin = WaitFor.Scaled(TimeSpan.FromSeconds(5));

    /// <param name="host">Where.</param>
    /// <param name="inHostPidNamespace">Whether it sees the containers' processes.</param>
    /// <param name="hosts">How many there are.</param>
    /// <param name="fault">The step at which it is to kill itself (FREEFLOW_FAULT); null: none.</param>
    /// <param name="controlGroup">The directory of the control group that it is to be in; null: the caller's.</param>
    public void Start(string host, bool inHostPidNamespace, int hosts, string? fault = null, string? controlGroup = null)
    {
        if (PidOf(host) is not null)
            return;
        InstallShim(host);
        var hostPid = new LabNetwork(paths, new LabOptions()).PidOf(host);
        var options = LabOptions.Of(paths) ?? new LabOptions();
        var settings = string.Concat(options.Settings.Select(setting => $" --set '{setting.Replace(LabSettings.Host, host).Replace("'", @"'\''")}'"));
        var environment = options.Environment.Select(variable => variable.Replace(LabSettings.Host, host).Split('=', 2));
        var pidNamespace = inHostPidNamespace ? "" : "unshare --pid --mount --fork --kill-child --mount-proc ";
        var enter = controlGroup is null ? "" : $"echo $$ > {controlGroup}/cgroup.procs; ";
        Shell.Script(
            $"{enter}nsenter -t {hostPid} -n -m -u -p setsid --fork {pidNamespace}{paths.RouterSupervisor} {paths.RouterProgram} run --config {paths.LabConfiguration}{settings} </dev/null >>{paths.RouterLog(host)} 2>&1",
            new Dictionary<string, string>(environment.Select(words => KeyValuePair.Create(words[0], words[1])))
            {
                [LabPaths.Mark] = paths.State,
                [LabProcesses.Role] = "router-" + host,
                ["FFR_NAME"] = LabLayout.RouterName,
                ["HOST_IP_PREFIX"] = LabLayout.UnderlayPrefix,
                ["FREEFLOW_SEEDS"] = options.WithoutSeeds ? "" : string.Join(",", Enumerable.Range(1, hosts).Select(LabLayout.UnderlayAddress)),
                ["FREEFLOW_FAULT"] = fault ?? "",
                ["DOTNET_gcServer"] = "0",
                ["DOTNET_TieredCompilation"] = "1",
            });
        WaitFor.That($"the start of {host}'s router", () => IsSupervised(host), () => LogEndOf(host));
    }

    /// <summary>The router's pid as the machine sees it; null when it does not run.</summary>
    public int? PidOf(string host)
    {
        foreach (var pid in new LabProcesses(paths).WithRole("router-" + host))
        {
            if (LabProcesses.NameOf(pid) == "freeflow")
                return pid;
        }

        return null;
    }

    public void Stop(string host)
    {
        if (PidOf(host) is not { } pid)
            return;
        LabProcesses.Kill(pid, "TERM");
        AwaitEnd(host, pid);
    }

    public void Kill(string host)
    {
        if (PidOf(host) is not { } pid)
            return;
        LabProcesses.Kill(pid, "KILL");
        AwaitEnd(host, pid);
    }

    /// <summary>Waits until every router sees all members up, and reaches them.</summary>
    public void AwaitCluster(int hosts, TimeSpan bound)
    {
        foreach (var host in Enumerable.Range(1, hosts).Select(LabLayout.Host))
        {
            WaitFor.That($"{hosts} members up, as {host} sees them", bound, () => SeesMembers(host, hosts) || !IsSupervised(host), () => LogEndOf(host));
            if (!IsSupervised(host))
                throw new LabException($"the router of {host} has ended; {LogEndOf(host)}");
        }
    }

    public string Status(string host) => RunInHost(host, "status").Output;

    /// <summary>What `freeflow NAME --json` shows, asked of the router without a program in between; null: none answers.</summary>
    public JsonElement? Ask(string host, string name = "status")
    {
        if (PidOf(host) is not { } pid)
            return null;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = (int)s_answerWithin.TotalMilliseconds };
            socket.Connect(new UnixDomainSocketEndPoint($"/proc/{pid}/root/run/freeflow/{LabLayout.RouterName}.control"));
            socket.Send(Encoding.UTF8.GetBytes($"{{\"Name\":\"{name}\"}}\n"));
            using var answer = new NetworkStream(socket);
            return JsonSerializer.Deserialize<JsonElement>(answer).GetProperty("Answer");
        }
        catch (Exception error) when (error is SocketException or IOException or JsonException or KeyNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether a router sees that many members, all of them up and reachable, and no others.</summary>
    public bool SeesMembers(string host, int count)
    {
        if (Ask(host) is not { } status)
            return false;
        var members = status.GetProperty("Members").EnumerateArray().ToList();
        return members.Count == count
            && members.TrueForAll(member => member.GetProperty("Status").GetString() == "Up" && member.GetProperty("Reachable").GetBoolean());
    }

    private ProgramResult RunInHost(string host, string command)
    {
        var hostPid = new LabNetwork(paths, new LabOptions()).PidOf(host);
        return Shell.Run(
            TimeSpan.FromSeconds(10),
            new Dictionary<string, string> { ["FFR_NAME"] = LabLayout.RouterName },
            "nsenter", "-t", hostPid.ToString(), "-n", "-m", "-u", "-p", paths.RouterProgram, command);
    }

    /// <summary>Whether its supervisor runs; without one the router has ended for good, or has not begun.</summary>
    private bool IsSupervised(string host) => new LabProcesses(paths).WithRole("router-" + host).Any(pid => LabProcesses.NameOf(pid) == "supervise");

    private string LogEndOf(string host) => $"its log ends:\n{string.Join('\n', File.ReadLines(paths.RouterLog(host)).TakeLast(20))}";

    private static void AwaitEnd(string host, int pid) => WaitFor.That($"the end of the router of {host}", s_stopWithin, () => LabProcesses.HasEnded(pid));

    /// <summary>Puts the library in place in one step: running programs keep the one they have.</summary>
    private void InstallShim(string host)
    {
        var target = Path.Combine(paths.FreeflowDirectory(host), "libfsocket.so");
        File.Copy(paths.ShimLibrary, target + ".new", overwrite: true);
        File.Move(target + ".new", target, overwrite: true);
    }
}
