namespace Freeflow.Router.Configuration;

/// <summary>
/// Checks that the brackets and quotes of a HOCON file match. Akka's parser takes an unfinished file for a finished one,
/// and never returns from some others.
/// </summary>
internal static class HoconBrackets
{
    /// <summary>What is wrong, with its line; null when nothing is.</summary>
    public static string? Check(string text)
    {
        var open = new Stack<(char Bracket, int Line)>();
        var line = 1;
        for (var at = 0; at < text.Length; at++)
        {
            switch (text[at])
            {
                case '\n':
                    line++;
                    break;
                case '#':
                case '/' when at + 1 < text.Length && text[at + 1] == '/':
                    at = text.IndexOf('\n', at) is var end and >= 0 ? end - 1 : text.Length;
                    break;
                case '"':
                    var closing = EndOfQuote(text, at);
                    if (closing < 0)
                        return $"line {line}: the quote is not closed";
                    line += text.AsSpan(at, closing - at).Count('\n');
                    at = closing;
                    break;
                case '{' or '[':
                    open.Push((text[at], line));
                    break;
                case '}' or ']' when !open.TryPop(out var opened) || opened.Bracket != (text[at] == '}' ? '{' : '['):
                    return $"line {line}: {text[at]} closes nothing";
            }
        }

        return open.TryPop(out var left) ? $"line {left.Line}: {left.Bracket} is not closed" : null;
    }

    /// <summary>Index of the last character of the quoted text that starts at <paramref name="start"/>; -1 without one.</summary>
    private static int EndOfQuote(string text, int start)
    {
        const string Triple = "\"\"\"";
        if (string.CompareOrdinal(text, start, Triple, 0, Triple.Length) == 0)
            return text.IndexOf(Triple, start + Triple.Length, StringComparison.Ordinal) is var end and >= 0 ? end + Triple.Length - 1 : -1;
        for (var at = start + 1; at < text.Length && text[at] != '\n'; at++)
        {
            if (text[at] == '\\')
                at++;
            else if (text[at] == '"')
                return at;
        }

        return -1;
    }
}
