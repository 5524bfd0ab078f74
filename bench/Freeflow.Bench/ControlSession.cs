using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>Control operations a second: objects of each kind made and freed, by one process and by eight at once.</summary>
public sealed class ControlSession(LabHosts lab, int rounds, bool quick)
{
    private static readonly int[] s_processes = [1, 8];

    private static readonly (string Kind, string Name)[] s_objects = [("pd", "PD"), ("cq", "CQ"), ("mr", "MR of 4 KiB"), ("ah", "AH"), ("qp", "QP")];

    private readonly RateWorkloads _rates = new(lab);
    private readonly Figures _figures = new();

    public void Run()
    {
        for (var round = 1; round <= rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {rounds}");
            foreach (var (kind, name) in quick ? s_objects[^1..] : s_objects)
            {
                // To make one and to free it are two.
                foreach (var processes in s_processes)
                    _figures.Add(Rate(name, processes), "operations/s", 2 * _rates.Objects(kind, processes));
                var (_, make, free, _) = _rates.Objects(kind);
                _figures.Add($"{name}, to make one", "µs", make);
                _figures.Add($"{name}, to free one", "µs", free);
            }
        }

        _figures.Print(Path.Combine(lab.Paths.Repository, "artifacts/bench"), "control-", Bars(), rounds);
    }

    private static string Rate(string name, int processes) => $"{name}, {processes} {(processes == 1 ? "process" : "processes")}";

    private IEnumerable<Bar> Bars() => (quick ? s_objects[^1..] : s_objects).Select(each => new Bar(
        $"{each.Name}, {s_processes[1]} processes over {s_processes[0]}", _figures.Of(Rate(each.Name, s_processes[1])) / _figures.Of(Rate(each.Name, s_processes[0])), 0, AtLeast: true));
}
