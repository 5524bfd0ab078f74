namespace Freeflow.Bench;

/// <summary>What a session has measured, by name, in the order of its first round.</summary>
public sealed class Figures
{
    private readonly Dictionary<string, Measurement> _measurements = [];

    public void Add(string name, string unit, double value)
    {
        if (!_measurements.TryGetValue(name, out var measurement))
            _measurements.Add(name, measurement = new Measurement(name, unit));
        measurement.Values.Add(value);
    }

    public double Of(string name) => _measurements[name].Median;

    /// <summary>Adds a figure's 99th percentile as one of its own.</summary>
    public void AddTail(string name)
    {
        var measurement = _measurements[name];
        Add($"{name}, 99 % of {measurement.Values.Count}", measurement.Unit, measurement.Percentile(99));
    }

    /// <summary>Prints the table, and leaves it and the figures as JSON, in files whose names begin with <paramref name="prefix"/>.</summary>
    public void Print(string directory, string prefix, IEnumerable<Bar> bars, int rounds)
    {
        var judged = bars.ToList();
        var table = Report.Table(_measurements.Values, judged);
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, prefix + "table.txt"), table);
        File.WriteAllText(Path.Combine(directory, prefix + "figures.json"), Report.Json(_measurements.Values, judged, rounds));
        Console.Write(table);
    }
}
