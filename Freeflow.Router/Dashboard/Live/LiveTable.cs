using System.Text.Json;

namespace Freeflow.Router.Dashboard.Live;

/// <summary>One table as the pages have it: tells what to say to them so that they have it as it is now.</summary>
internal sealed class LiveTable
{
    private Dictionary<string, (object Row, byte[] Json)> _rows = [];
    private readonly List<string> _changed = [];
    private readonly List<string> _gone = [];
    private int _total;
    private string? _problem;
    private bool _headChanged;

    public int Count => _rows.Count;

    /// <summary>Whether the last update changed anything.</summary>
    public bool HasChanged => _headChanged || _changed.Count > 0 || _gone.Count > 0;

    public void Update(Section section)
    {
        var total = section.Rows is null ? _total : section.Total;
        _headChanged = total != _total || section.Problem != _problem;
        (_total, _problem) = (total, section.Problem);
        _changed.Clear();
        _gone.Clear();
        if (section.Rows is not { } rows)
            return;

        // Rows go by their names: two that are given one are told apart by their turn.
        var now = new Dictionary<string, (object Row, byte[] Json)>(rows.Count);
        foreach (var (name, row) in rows)
        {
            var key = name;
            for (var turn = 2; now.ContainsKey(key); turn++)
                key = $"{name} #{turn}";
            if (_rows.TryGetValue(key, out var before) && before.Row.Equals(row))
            {
                now.Add(key, before);
                continue;
            }

            var json = JsonSerializer.SerializeToUtf8Bytes(row, row.GetType());
            if (before.Json is null || !json.AsSpan().SequenceEqual(before.Json))
                _changed.Add(key);
            now.Add(key, (row, json));
        }

        _gone.AddRange(_rows.Keys.Where(key => !now.ContainsKey(key)));
        _rows = now;
    }

    /// <summary>Everything, or what the last update has changed.</summary>
    public void Write(Utf8JsonWriter to, bool all)
    {
        to.WriteStartObject();
        to.WriteBoolean("All", all);
        to.WriteNumber("Total", _total);
        to.WriteString("Problem", _problem);
        to.WriteStartObject("Rows");
        if (all)
        {
            foreach (var (key, row) in _rows)
                WriteRow(to, key, row.Json);
        }
        else
        {
            foreach (var key in _changed)
                WriteRow(to, key, _rows[key].Json);
        }

        to.WriteEndObject();
        to.WriteStartArray("Gone");
        if (!all)
        {
            foreach (var key in _gone)
                to.WriteStringValue(key);
        }

        to.WriteEndArray();
        to.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter to, string key, byte[] json)
    {
        to.WritePropertyName(key);
        to.WriteRawValue(json, skipInputValidation: true);
    }
}
