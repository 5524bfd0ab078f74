using Freeflow.Actors.Policy;
using Freeflow.Router.Output;

namespace Freeflow.Router.Policy;

/// <summary>A value of a policy file, and where it stands.</summary>
internal abstract record PolicyNode(int Line, int Column)
{
    public abstract string Kind { get; }

    public PolicyException Wrong(string problem) => new(Line, Column, problem);
}

internal sealed record PolicyValue(int Line, int Column, string Text) : PolicyNode(Line, Column)
{
    public override string Kind => "a text";
}

internal sealed record PolicyList(int Line, int Column, IReadOnlyList<PolicyNode> Items) : PolicyNode(Line, Column)
{
    public override string Kind => "a list";
}

internal sealed record PolicyObject(int Line, int Column) : PolicyNode(Line, Column)
{
    private readonly Dictionary<string, (PolicyNode Value, int Line, int Column)> _entries = [];

    public override string Kind => "an object";

    /// <summary>In the order of the file.</summary>
    public List<string> Keys { get; } = [];

    public PolicyNode? this[string key] => _entries.TryGetValue(key, out var entry) ? entry.Value : null;

    public (int Line, int Column) PlaceOf(string key) => (_entries[key].Line, _entries[key].Column);

    public void Add(string key, PolicyNode value, int line, int column)
    {
        if (_entries.TryGetValue(key, out var earlier))
            throw new PolicyException(line, column, $"{Printable.Of(key)} is given twice (first on line {earlier.Line}): put it in one place");
        _entries.Add(key, (value, line, column));
        Keys.Add(key);
    }
}
