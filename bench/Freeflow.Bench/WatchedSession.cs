using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>
/// The data path while both routers are watched (the dashboard's stream is read, with the actors, and the metrics are scraped once a second)
/// beside the same while nobody looks, in turns.
/// </summary>
public sealed class WatchedSession(LabHosts lab, int rounds)
{
    private const int Seconds = 3;
    private const string Admin = "http://127.0.0.1:4484";

    private static readonly (string Program, int Bytes)[] s_loads = [("ib_write_bw", 1 << 20), ("ib_send_bw", 64)];
    private static readonly BenchPath[] s_paths = [BenchPath.SameHost, BenchPath.Across];

    private readonly Workloads _run = new(lab);
    private readonly Figures _figures = new();

    public void Run()
    {
        for (var round = 1; round <= rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {rounds}");
            foreach (var path in s_paths)
            {
                foreach (var (program, bytes) in s_loads)
                {
                    // Who comes first changes, since a machine may slow down meanwhile.
                    foreach (var isWatched in round % 2 == 0 ? [true, false] : new[] { false, true })
                        Measure(path, program, bytes, isWatched);
                }
            }
        }

        _figures.Print(Path.Combine(lab.Paths.Repository, "artifacts/bench"), "watched-", Bars(), rounds);
    }

    private void Measure(BenchPath path, string program, int bytes, bool isWatched)
    {
        var watchers = isWatched ? Watch("h1").Concat(Watch("h2")).ToList() : [];
        try
        {
            _figures.Add(NameOf(path, program, bytes, isWatched), "MB/s", _run.Sustained(program, path, bytes, Seconds).Bandwidth);
        }
        finally
        {
            watchers.ForEach(watcher => watcher.Dispose());
        }
    }

    private IEnumerable<BackgroundProgram> Watch(string host)
    {
        yield return lab.Start(host, "curl", "-sN", "-o", "/dev/null", Admin + "/api/stream?actors=true");
        yield return lab.Start(host, "bash", "-c", $"while :; do curl -s -o /dev/null {Admin}/metrics; sleep 1; done");
    }

    private static string NameOf(BenchPath path, string program, int bytes, bool isWatched) => $"{path.Name} {program} {bytes}{(isWatched ? " watched" : "")}";

    private IEnumerable<Bar> Bars()
    {
        foreach (var path in s_paths)
        {
            foreach (var (program, bytes) in s_loads)
            {
                yield return new Bar($"{path.Name}, {program} {bytes} B watched over not watched",
                    _figures.Of(NameOf(path, program, bytes, true)) / _figures.Of(NameOf(path, program, bytes, false)), 0.98, AtLeast: true);
            }
        }
    }
}
