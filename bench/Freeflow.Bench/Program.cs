using System.CommandLine;
using Freeflow.Bench;
using Freeflow.Lab;

var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Interleaved runs of everything" };
var quick = new Option<bool>("--quick") { Description = "The figures that the bars need, only" };
var tcp = new Option<bool>("--tcp") { Description = "TCP mode, beside the overlay and host to host" };
var stub = new Option<bool>("--without-tcp-mode") { Hidden = true, Description = "Tells routers nothing about it: what is called Freeflow's is the overlay's, and shows how equal equals look" };
var command = new RootCommand("Measures Freeflow beside TCP on the same paths") { rounds, quick, tcp, stub };
command.SetAction(parsed =>
{
    // A variable of its own: the lab is taken down first, and FREEFLOW_LAB_DIR may well name one that is in use.
    var state = Environment.GetEnvironmentVariable("FREEFLOW_BENCH_DIR") is { Length: > 0 } given ? given : "/run/freeflow-bench";
    var lab = new LabHosts(LabPaths.Find() with { State = state });
    try
    {
        lab.Down();
        if (parsed.GetValue(tcp))
        {
            new TcpSession(lab, parsed.GetValue(rounds), parsed.GetValue(quick), parsed.GetValue(stub)).Run();
            return 0;
        }

        lab.Up(new LabOptions());
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
        lab.Down();
    }
});
return command.Parse(args).Invoke();
