using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>
/// TCP mode's figures: each is taken on all kinds of path directly after each other, in an order that changes each time.
/// </summary>
public sealed class TcpSession(LabHosts lab, int rounds, bool quick, bool withoutTcpMode)
{
    private const string Acceleration = "freeflow.tcp.acceleration";

    // Short runs in quick change, rather than a long one each, where the program allows it.
    private readonly int _slices = quick ? 2 : 3;
    private readonly TcpWorkloads _run = new(lab, quick ? 1 : 2, TimeSpan.FromSeconds(quick ? 0.3 : 0.4));
    private readonly TcpFigures _figures = new();
    private readonly AcceleratedConnections _accelerated = new(lab);

    public static IReadOnlyList<int> Streams { get; } = [1, 8];

    public static IReadOnlyList<int> Sizes { get; } = [1, 1024, 65536];

    public static IReadOnlyList<int> Clients { get; } = [1, 64];

    public static string IperfName(int streams) => streams == 1 ? "iperf3, 1 stream" : $"iperf3, {streams} streams";

    public static string RespondName(int bytes) => $"request and response, {bytes} B, median";

    public static string VisitName(int clients, bool learning) =>
        $"connections, {clients} {(clients == 1 ? "client" : "clients")}{(learning ? ", learning" : "")}";

    public void Run()
    {
        LabUp("always");
        using (new TcpServers(lab, TcpPath.All, Enum.GetValues<TcpService>()))
        {
            ForEachRound("", Everything);
        }

        // Routers start with what they are told, and are busy compiling for a while: so the other setting has its rounds after
        // all others, and its own figures of the overlay to stand beside.
        LabUp("learned");
        using (new TcpServers(lab, [.. TcpPath.All.Where(path => path.Kind != TcpKind.HostToHost)], TcpService.Visit))
        {
            ForEachRound(", learning", round =>
            {
                foreach (var clients in Clients)
                    Visit(round, clients, learning: true);
            });
        }

        Print();
    }

    private void LabUp(string acceleration) =>
        lab.Up(new LabOptions { Settings = withoutTcpMode ? [] : [$"{Acceleration}={acceleration}"] });

    private void ForEachRound(string which, Action<int> work)
    {
        for (var round = 1; round <= rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {rounds}{which}");
            work(round);
        }
    }

    private void Everything(int round)
    {
        foreach (var streams in Streams)
            OnEach(round, 1, IperfName(streams), path => Iperf(path, streams));
        foreach (var bytes in Sizes)
            OnEach(round, _slices, RespondName(bytes), path => Respond(path, bytes));
        foreach (var clients in Clients)
            Visit(round, clients, learning: false);
        if (!quick)
        {
            foreach (var keepAlive in new[] { true, false })
            {
                var name = keepAlive ? "wrk on nginx, keep-alive" : "wrk on nginx, close";
                OnEach(round, 1, name, path => _figures.Add(name, path, "a second", _run.Web(path, keepAlive)));
            }
        }

        PassThrough.Measure(lab, quick ? 96 : 240, _figures);
    }

    private void OnEach(int round, int slices, string what, Action<TcpPath> measure)
    {
        foreach (var (path, slice) in InTurn(round, slices))
        {
            if (path.Kind == TcpKind.Freeflow && slice == 0 && !withoutTcpMode)
                _accelerated.Watch($"{path.Where} {what}", () => measure(path));
            else
                measure(path);
        }
    }

    // When the router learns, whether connections are accelerated is its own choice.
    private void Visit(int round, int clients, bool learning)
    {
        var name = VisitName(clients, learning);
        void Measure(TcpPath path) => _figures.Add(name, path, "a second", _run.Visit(path, clients));
        if (!learning)
        {
            OnEach(round, _slices, name, Measure);
            return;
        }

        foreach (var (path, _) in InTurn(round, _slices).Where(turn => turn.Path.Kind != TcpKind.HostToHost))
            Measure(path);
    }

    private void Iperf(TcpPath path, int streams)
    {
        double rate = 0, gigabytes = 0;
        void Transfer() => (rate, gigabytes) = _run.Iperf(path, streams);
        if (streams == 1 && !quick)
            _figures.Add("iperf3, 1 stream, CPU", path, "CPU s/GB", CpuClock.Over(Transfer) / gigabytes);
        else
            Transfer();
        _figures.Add(IperfName(streams), path, "MB/s", rate);
    }

    private void Respond(TcpPath path, int bytes)
    {
        var (median, tail) = _run.Respond(path, bytes);
        _figures.Add(RespondName(bytes), path, "µs", median);
        _figures.Add($"request and response, {bytes} B, 99.9 %", path, "µs", tail);
    }

    private static IEnumerable<(TcpPath Path, int Slice)> InTurn(int round, int slices)
    {
        foreach (var where in TcpPath.Places)
        {
            var paths = TcpPath.All.Where(path => path.Where == where).ToList();
            for (var slice = 0; slice < slices; slice++)
            {
                for (var i = 0; i < paths.Count; i++)
                    yield return (paths[(i + round + slice) % paths.Count], slice);
            }
        }
    }

    private void Print()
    {
        var bars = TcpBars.Of(_figures).ToList();
        var directory = Path.Combine(lab.Paths.Repository, "artifacts/bench");
        var table = TcpReport.Table(_figures, bars, _accelerated.PlainRuns);
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "tcp-table.txt"), table);
        File.WriteAllText(Path.Combine(directory, "tcp-figures.json"), TcpReport.Json(_figures, bars, _accelerated.PlainRuns, rounds));
        Console.Write(table);
    }
}
