namespace Freeflow.Bench;

/// <summary>All that a run measures, by name and place.</summary>
public sealed class TcpFigures
{
    private readonly List<TcpRow> _rows = [];

    /// <summary>The lines of the table, a place after the other.</summary>
    public IEnumerable<TcpRow> Rows => _rows.OrderBy(row => row.Where == TcpPath.Within);

    public List<PassedThroughCall> Calls { get; } = [];

    public TcpRow this[string name, string where] =>
        _rows.Find(row => row.Name == name && row.Where == where) ?? throw new KeyNotFoundException($"{where} {name}");

    public void Add(string name, TcpPath path, string unit, double value)
    {
        var row = _rows.Find(row => row.Name == name && row.Where == path.Where);
        if (row is null)
            _rows.Add(row = new TcpRow(name, path.Where, unit));
        row[path.Kind].Values.Add(value);
    }

    public void Add(string call, double ratio, double plain, double preloaded)
    {
        var known = Calls.Find(known => known.Name == call);
        if (known is null)
            Calls.Add(known = new PassedThroughCall(call));
        known.Ratio.Values.Add(ratio);
        known.Plain.Values.Add(plain);
        known.Preloaded.Values.Add(preloaded);
    }
}
