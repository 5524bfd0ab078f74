using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Freeflow.Bench;

/// <summary>The figures of TCP mode as a table, a column for each kind of path, and as JSON with each round's.</summary>
public static class TcpReport
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    public static string Table(TcpFigures figures, IEnumerable<Bar> bars, IReadOnlyList<string> plainRuns)
    {
        var text = new StringBuilder();
        foreach (var place in figures.Rows.GroupBy(row => row.Where))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{place.Key,-36} {"host",10} {"overlay",10} {"Freeflow",10} {"of host",8} {"of overlay",10}");
            foreach (var row in place)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"{row.Name,-36} {Cell(row[TcpKind.HostToHost].Median)} {Cell(row[TcpKind.Overlay].Median)} {Cell(row[TcpKind.Freeflow].Median)} "
                    + $"{Share(row.Ratio(TcpKind.Freeflow, TcpKind.HostToHost)),8} {Share(row.Ratio(TcpKind.Freeflow, TcpKind.Overlay)),10} {row.Unit}");
            }

            text.AppendLine();
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"{"calls that are passed through",-36} {"without",10} {"preload",10} {"ratio",10}");
        foreach (var call in figures.Calls)
            text.AppendLine(CultureInfo.InvariantCulture, $"{call.Name,-36} {call.Plain.Median,10:0.0} {call.Preloaded.Median,10:0.0} {call.Ratio.Median,10:0.000} ns");
        text.AppendLine();
        foreach (var bar in bars)
            text.AppendLine(bar.ToString());
        foreach (var runs in plainRuns.CountBy(run => run))
            text.AppendLine(CultureInfo.InvariantCulture, $"NOT ACCELERATED in {runs.Value} runs: {runs.Key}");
        return text.ToString();
    }

    public static string Json(TcpFigures figures, IEnumerable<Bar> bars, IReadOnlyList<string> plainRuns, int rounds) =>
        JsonSerializer.Serialize(
            new
            {
                Rounds = rounds,
                Measurements = figures.Rows.Select(row => new
                {
                    row.Where,
                    row.Name,
                    row.Unit,
                    HostToHost = row[TcpKind.HostToHost].Values,
                    Overlay = row[TcpKind.Overlay].Values,
                    Freeflow = row[TcpKind.Freeflow].Values,
                }),
                PassedThrough = figures.Calls.Select(call => new { call.Name, Ratio = call.Ratio.Values, Plain = call.Plain.Values, Preloaded = call.Preloaded.Values }),
                Bars = bars.Select(bar => new { bar.What, bar.Ratio, bar.Wanted, bar.AtLeast, bar.IsReached }),
                NotAccelerated = plainRuns,
            },
            s_indented);

    private static string Cell(double value) =>
        double.IsNaN(value) ? $"{"",10}" : string.Create(CultureInfo.InvariantCulture, $"{value,10:0.##}");

    private static string Share(double value) => double.IsNaN(value) ? "" : value.ToString("0.00", CultureInfo.InvariantCulture);
}
