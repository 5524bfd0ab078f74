namespace Freeflow.Actors.Policy;

/// <summary>A policy is wrong, and nothing of it holds. The message is one line: where, what, and what to do.</summary>
public sealed class PolicyException(int line, int column, string problem) : Exception($"line {line}, column {column}: {problem}")
{
    public int Line { get; } = line;

    public int Column { get; } = column;
}
