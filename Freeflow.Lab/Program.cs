using System.CommandLine;
using Freeflow.Lab;
using Freeflow.Lab.VirtualMachines;

var lab = new LabHosts(LabPaths.Find());
var room = new MachineRoom(lab.Paths);

var hosts = new Option<int>("--hosts") { DefaultValueFactory = _ => 2, Description = "Hosts, h1 …" };
var containers = new Option<int>("--containers") { DefaultValueFactory = _ => 2, Description = "Containers on each host, h1c1 …" };
var pid = new Option<string?>("--pid") { Description = "host: routers run in their host's pid namespace" };
var root = new Option<string[]>("--root") { Description = "Root file system of the containers, such as a debootstrap tree; h1=DIR or h1c1=DIR for some of them; repeatable" };
var bare = new Option<bool>("--no-routers") { Description = "The network only" };
var up = new Command("up", "Builds the hosts and containers, starts the routers, waits for the cluster") { hosts, containers, pid, root, bare };
up.SetAction(parsed => Guard(() =>
{
    var (hostCount, containerCount) = (parsed.GetValue(hosts), parsed.GetValue(containers));
    if (hostCount is < 1 or > 50 || containerCount is < 0 or > 200)
        throw new LabException("expected 1 to 50 hosts with 0 to 200 containers each");
    if (parsed.GetValue(pid) is { } where && where != "host")
        throw new LabException($"--pid={where} is not accepted: expected host");
    lab.Up(new LabOptions
    {
        Hosts = hostCount,
        Containers = containerCount,
        RoutersInHostPidNamespace = parsed.GetValue(pid) is not null,
        Roots = [.. parsed.GetValue(root) ?? []],
        WithoutRouters = parsed.GetValue(bare),
    });
}));

var down = new Command("down", "Takes everything down");
down.SetAction(_ => Guard(() =>
{
    room.Down();
    lab.Down();
}));

var status = new Command("status", "Shows the hosts, containers and routers");
status.SetAction(_ => Guard(() =>
{
    var options = lab.Current ?? throw new LabException("no lab is up");
    var network = new LabNetwork(lab.Paths, options);
    foreach (var node in lab.Nodes(options))
        Console.WriteLine($"{node}\tpid {network.PidOf(node)}");
    for (var host = 1; host <= options.Hosts; host++)
    {
        var name = LabLayout.Host(host);
        var router = lab.Routers.PidOf(name);
        Console.WriteLine($"router {name}\t{(router is null ? "not running" : $"pid {router}")}");
        if (router is not null)
            Console.Write(lab.Routers.Status(name));
    }
}));

var hostName = new Argument<string>("host");
var action = new Argument<string>("action") { Description = "stop, start, kill or logs" };
var router = new Command("router", "Acts on a host's router") { hostName, action };
router.SetAction(parsed => Guard(() =>
{
    var options = lab.Current ?? throw new LabException("no lab is up");
    var host = parsed.GetValue(hostName)!;
    if (!Enumerable.Range(1, options.Hosts).Select(LabLayout.Host).Contains(host))
        throw new LabException($"{host} is no host of this lab");
    switch (parsed.GetValue(action))
    {
        case "stop":
            lab.Routers.Stop(host);
            break;
        case "kill":
            lab.Routers.Kill(host);
            break;
        case "start":
            lab.Routers.Start(host, options.RoutersInHostPidNamespace, options.Hosts);
            lab.Routers.AwaitCluster(options.Hosts, LabRouters.ClusterWithin);
            break;
        case "logs":
            Console.Write(File.ReadAllText(lab.Paths.RouterLog(host)));
            break;
        default:
            throw new LabException("expected stop, start, kill or logs");
    }
}));

return await new RootCommand("Hosts and containers on one machine") { up, down, status, router, MachineCommand.Of(lab.Paths, room, Guard) }.Parse(args).InvokeAsync();

static int Guard(Action work)
{
    try
    {
        work();
        return 0;
    }
    catch (LabException problem)
    {
        Console.Error.WriteLine("lab: " + problem.Message);
        return 1;
    }
}
