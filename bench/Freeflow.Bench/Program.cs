using System.CommandLine;
using Freeflow.Bench;
using Freeflow.Lab;

var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Interleaved runs of everything" };
var quick = new Option<bool>("--quick") { Description = "The figures that the bars need, only" };
var command = new RootCommand("Measures Freeflow beside TCP on the same paths") { rounds, quick };
command.SetAction(parsed =>
{
    var lab = new LabHosts(LabPaths.Find() with { State = "/run/freeflow-bench" });
    try
    {
        lab.Down();
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
