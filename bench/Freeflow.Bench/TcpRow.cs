namespace Freeflow.Bench;

/// <summary>One figure on all kinds of path, measured in every round: a line of the table.</summary>
/// <param name="Name">Such as "iperf3, 8 streams".</param>
/// <param name="Where">One of <see cref="TcpPath.Places"/>.</param>
/// <param name="Unit">µs, MB/s (2^20 bytes), a second, or CPU s/GB (2^30 bytes).</param>
public sealed record TcpRow(string Name, string Where, string Unit)
{
    private readonly Measurement[] _kinds = [.. Enum.GetValues<TcpKind>().Select(kind => new Measurement($"{Where} {Name} {kind}", Unit))];

    public Measurement this[TcpKind kind] => _kinds[(int)kind];

    /// <summary>
    /// Median of the ratios of what was measured directly after each other, so that a machine whose pace changes meanwhile
    /// does not show in it.
    /// </summary>
    public double Ratio(TcpKind over, TcpKind under)
    {
        var ratios = new Measurement(Name, "");
        ratios.Values.AddRange(this[over].Values.Zip(this[under].Values, (left, right) => left / right));
        return ratios.Median;
    }
}
