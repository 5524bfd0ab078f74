using System.Globalization;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>
/// From the start of a program that listens until a container of another host reaches it by an accelerated connection: in a container that its
/// router does not know yet, and in one that it knows.
/// </summary>
public sealed class StartSession(LabHosts lab, int rounds, bool quick)
{
    /// <summary>A container is forgotten while its turn comes round (container-linger is 2 s in the lab).</summary>
    public const int Containers = 6;

    private const int Port = 18730;
    private const int KeepsKnown = Port + 1;
    private const string Client = "h1c1";
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>For a client to have begun to ask.</summary>
    private static readonly TimeSpan s_asks = TimeSpan.FromMilliseconds(400);

    private readonly Figures _figures = new();

    private string Program => Path.Combine(lab.Paths.Repository, "artifacts/bench/arrival");

    public void Run()
    {
        using var client = lab.Start(Client, Program, "serve", $"{KeepsKnown}");
        using var known = lab.Start("h2c1", Program, "serve", $"{KeepsKnown}");
        Thread.Sleep(TimeSpan.FromSeconds(2));
        for (var round = 1; round <= rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {rounds}");
            for (var turn = 0; turn < (quick ? 1 : 2); turn++)
            {
                for (var container = 2; container <= Containers; container++)
                {
                    Arrive(LabLayout.Container(2, container), container, "in a container that is new");
                    Arrive("h2c1", 1, "in a container that is known");
                }
            }
        }

        foreach (var where in new[] { "in a container that is new", "in a container that is known" })
        {
            _figures.AddTail(Plain(where));
            _figures.AddTail(Accelerated(where));
        }

        _figures.Print(Path.Combine(lab.Paths.Repository, "artifacts/bench"), "start-", [], rounds);
    }

    private void Arrive(string node, int container, string where)
    {
        using var asks = lab.Start(Client, Program, "ask", LabLayout.OverlayAddress(2, container), $"{Port}");
        Thread.Sleep(s_asks);
        using var server = lab.Start(node, Program, "serve", $"{Port}");
        var told = asks.Wait(s_bound);
        server.Signal("TERM");
        var began = server.Wait(s_bound);
        if (told.ExitCode != 0 || Numbers(began.Output) is not [var begun] || Numbers(told.Output) is not [var plain, var accelerated])
            throw new LabException($"a program in {node}: {began.Everything}, asked: {told.Everything}");
        _figures.Add(Plain(where), "ms", (plain - begun) / 1000);
        _figures.Add(Accelerated(where), "ms", (accelerated - begun) / 1000);
    }

    private static double[] Numbers(string text) =>
        [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];

    private static string Plain(string where) => $"{where}, first answer";

    private static string Accelerated(string where) => $"{where}, accelerated";
}
