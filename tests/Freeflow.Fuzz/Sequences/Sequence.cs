using System.Globalization;
using System.Text;

namespace Freeflow.Fuzz.Sequences;

/// <summary>One step: what is done, and what it chooses.</summary>
public sealed record Step(string Name, IReadOnlyList<ulong> Choices);

/// <summary>
/// What a hostile process does, step by step; as text a line for each: its name and its choices. A step's line means the same
/// whatever other steps are added later.
/// </summary>
public sealed record Sequence(IReadOnlyList<Step> Steps)
{
    /// <summary>Reads the text form; throws FormatException.</summary>
    public static Sequence Parse(IEnumerable<string> lines)
    {
        var steps = new List<Step>();
        foreach (var line in lines)
        {
            var words = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words.Length > 0)
                steps.Add(new Step(words[0], [.. words.Skip(1).Select(word => ulong.Parse(word, CultureInfo.InvariantCulture))]));
        }

        return new Sequence(steps);
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var step in Steps)
            text.Append(step.Name).AppendJoin("", step.Choices.Select(choice => $" {choice}")).Append('\n');
        return text.ToString();
    }
}
