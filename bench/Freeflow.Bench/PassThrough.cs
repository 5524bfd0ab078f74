using System.Globalization;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>Runs bench/passthrough.c, which says how it compares, in a container that has a router.</summary>
public static class PassThrough
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(120);

    public static void Measure(LabHosts lab, int slices, TcpFigures figures)
    {
        var program = Path.Combine(lab.Paths.Repository, "artifacts/bench/passthrough");
        string[] command = ["env", "-u", "LD_PRELOAD", "-u", "VNET_PREFIX", program, "/freeflow/libfsocket.so", LabLayout.OverlayPrefix, $"{slices}"];
        var result = lab.Exec("h1c1", s_bound, command);
        if (result.ExitCode != 0)
            throw new LabException($"{string.Join(' ', command)} in h1c1: {result.Everything}");
        foreach (var line in result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            var numbers = words.Skip(1).Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToArray();
            figures.Add(words[0], numbers[0], numbers[1], numbers[2]);
        }
    }
}
