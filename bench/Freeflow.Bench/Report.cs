using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Freeflow.Bench;

/// <summary>The figures as a table and as JSON.</summary>
public static class Report
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    public static string Table(IEnumerable<Measurement> measurements, IEnumerable<Bar> bars)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"",-36} {"median",10} {"lowest",10} {"highest",10}");
        foreach (var each in measurements)
            text.AppendLine(CultureInfo.InvariantCulture, $"{each.Name,-36} {each.Median,10:0.##} {each.Lowest,10:0.##} {each.Highest,10:0.##} {each.Unit}");
        text.AppendLine();
        foreach (var bar in bars)
            text.AppendLine(bar.ToString());
        return text.ToString();
    }

    public static string Json(IEnumerable<Measurement> measurements, IEnumerable<Bar> bars, int rounds) =>
        JsonSerializer.Serialize(
            new
            {
                Rounds = rounds,
                Measurements = measurements.Select(each => new { each.Name, each.Unit, each.Median, each.Lowest, each.Highest, each.Values }),
                Bars = bars.Select(bar => new { bar.What, bar.Ratio, bar.Wanted, bar.AtLeast, bar.IsReached }),
            },
            s_indented);
}
