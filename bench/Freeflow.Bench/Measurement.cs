namespace Freeflow.Bench;

/// <summary>One figure that is measured in every round.</summary>
/// <param name="Name">Unique, such as "across write_bw 4096".</param>
/// <param name="Unit">µs, MB/s (2^20 bytes) or Mmsg/s.</param>
public sealed record Measurement(string Name, string Unit)
{
    public List<double> Values { get; } = [];

    public double Median => Values.Count == 0 ? double.NaN : Values.Order().ElementAt(Values.Count / 2);

    /// <summary>The value that so many of a hundred do not exceed.</summary>
    public double Percentile(int hundredths) =>
        Values.Count == 0 ? double.NaN : Values.Order().ElementAt((int)Math.Ceiling(Values.Count * hundredths / 100.0) - 1);

    public double Lowest => Values.DefaultIfEmpty(double.NaN).Min();

    public double Highest => Values.DefaultIfEmpty(double.NaN).Max();
}
