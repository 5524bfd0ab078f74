using System.CommandLine;
using Freeflow.Bench;
using Freeflow.Lab;

var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Interleaved runs of everything" };
var quick = new Option<bool>("--quick") { Description = "The figures that the bars need, only" };
var tcp = new Option<bool>("--tcp") { Description = "TCP mode, beside the overlay and host to host" };
var rates = new Option<bool>("--rates") { Description = "Objects and connections made and freed, datagrams, many QPs at once, rsockets" };
var watched = new Option<bool>("--watched") { Description = "The data path with the dashboard open and metrics scraped, beside without" };
var encryption = new Option<bool>("--encryption") { Description = "What it costs to encrypt the links between routers" };
var limits = new Option<bool>("--limits") { Description = "How exactly a policy's rates are kept, and what that costs" };
var directory = new Option<bool>("--directory") { Description = "The directory of addresses: --routers of them in one process, --addresses together" };
var routers = new Option<int>("--routers") { DefaultValueFactory = _ => 50, Description = "With --directory" };
var addresses = new Option<int>("--addresses") { DefaultValueFactory = _ => 100_000, Description = "With --directory" };
var start = new Option<bool>("--start") { Description = "From the start of a program that listens until it is reached by accelerated connections" };
var control = new Option<bool>("--control") { Description = "Control operations a second, by one process and by eight" };
var failover = new Option<bool>("--failover") { Description = "When something dies: until an application sees it, and until its work goes on" };
var stub = new Option<bool>("--without-tcp-mode") { Hidden = true, Description = "Tells routers nothing about it: what is called Freeflow's is the overlay's, and shows how equal equals look" };
var command = new RootCommand("Measures Freeflow beside TCP on the same paths")
{
    rounds, quick, tcp, rates, watched, encryption, limits, directory, routers, addresses, start, control, failover, stub,
};
command.SetAction(parsed =>
{
    if (parsed.GetValue(directory))
        return new DirectorySession(parsed.GetValue(routers), parsed.GetValue(addresses)).Run();

    // A variable of its own: the lab is taken down first, and FREEFLOW_LAB_DIR may well name one that is in use.
    var state = Environment.GetEnvironmentVariable("FREEFLOW_BENCH_DIR") is { Length: > 0 } given ? given : "/run/freeflow-bench";
    var lab = new LabHosts(LabPaths.Find() with { State = state });
    var second = new LabHosts(LabPaths.Find() with { State = state + "-encrypted" });
    try
    {
        lab.Down();
        if (parsed.GetValue(tcp))
        {
            new TcpSession(lab, parsed.GetValue(rounds), parsed.GetValue(quick), parsed.GetValue(stub)).Run();
            return 0;
        }

        if (parsed.GetValue(start))
        {
            lab.Up(new LabOptions { Containers = StartSession.Containers });
            new StartSession(lab, parsed.GetValue(rounds), parsed.GetValue(quick)).Run();
            return 0;
        }

        lab.Up(new LabOptions());
        if (parsed.GetValue(control))
        {
            new ControlSession(lab, parsed.GetValue(rounds), parsed.GetValue(quick)).Run();
            return 0;
        }

        if (parsed.GetValue(failover))
        {
            new FailoverSession(lab, parsed.GetValue(rounds), parsed.GetValue(quick)).Run();
            return 0;
        }

        if (parsed.GetValue(rates))
        {
            new RateSession(lab, parsed.GetValue(rounds)).Run();
            return 0;
        }

        if (parsed.GetValue(watched))
        {
            new WatchedSession(lab, parsed.GetValue(rounds)).Run();
            return 0;
        }

        if (parsed.GetValue(encryption))
        {
            second.Up(new LabOptions { Settings = ["freeflow.link.encrypt=true"] });
            new EncryptionSession(lab, second, parsed.GetValue(rounds)).Run();
            return 0;
        }

        if (parsed.GetValue(limits))
        {
            new LimitSession(lab, parsed.GetValue(rounds)).Run();
            return 0;
        }

        new Session(lab, parsed.GetValue(rounds), parsed.GetValue(quick)).Run();
        return 0;
    }
    catch (LabException problem)
    {
        Console.Error.WriteLine("bench: " + problem.Message);
        return 1;
    }
    finally
    {
        second.Down();
        lab.Down();
    }
});
return command.Parse(args).Invoke();
