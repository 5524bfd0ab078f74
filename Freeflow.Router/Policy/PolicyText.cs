using Freeflow.Actors.Policy;
using Freeflow.Router.Output;

namespace Freeflow.Router.Policy;

/// <summary>
/// Reads HOCON with the place of every value, which Akka's reader does not keep. Left out is what a file that decides who may talk to
/// whom is better without: substitutions, includes, and keys that are given twice, of which the later would hold.
/// </summary>
internal sealed class PolicyText
{
    private const int MaximumDepth = 16;
    private const string EndsValue = ",{}[]\n\r#\"";

    private readonly string _text;
    private int _at;
    private int _line = 1;
    private int _lineStart;

    private PolicyText(string text) => _text = text;

    private int Column => _at - _lineStart + 1;

    private bool IsAtEnd => _at >= _text.Length;

    private char Current => IsAtEnd ? '\0' : _text[_at];

    /// <summary>Throws <see cref="PolicyException"/>.</summary>
    public static PolicyObject Parse(string text)
    {
        var reader = new PolicyText(text);
        reader.SkipSpace(andLines: true);
        PolicyObject root;
        if (reader.Current == '{')
            root = (PolicyObject)reader.ReadValue(0);
        else
            reader.ReadEntries(root = new PolicyObject(reader._line, reader.Column), '\0', 0);
        reader.SkipSpace(andLines: true);
        return reader.IsAtEnd ? root : throw reader.Wrong($"nothing can be behind the policy, and there is {reader.Found}");
    }

    private PolicyException Wrong(string problem) => new(_line, Column, problem);

    private string Found => IsAtEnd ? "the end of the file" : Current == '\n' ? "the end of the line" : $"'{Printable.Of(Current.ToString())}'";

    private PolicyNode ReadValue(int depth)
    {
        if (depth >= MaximumDepth)
            throw Wrong($"brackets are nested deeper than {MaximumDepth}");
        var (line, column) = (_line, Column);
        switch (Current)
        {
            case '{':
                _at++;
                var made = new PolicyObject(line, column);
                ReadEntries(made, '}', depth);
                if (IsAtEnd)
                    throw new PolicyException(line, column, "{ is not closed: a } is missing");
                _at++;
                return made;
            case '[':
                _at++;
                return new PolicyList(line, column, ReadItems(line, column, depth));
            case '"':
                return new PolicyValue(line, column, ReadQuoted());
            default:
                return new PolicyValue(line, column, ReadPlain());
        }
    }

    private void ReadEntries(PolicyObject into, char closing, int depth)
    {
        while (true)
        {
            SkipSeparators();
            if (IsAtEnd || (closing != '\0' && Current == closing))
                return;
            if (Current is '}' or ']')
                throw Wrong($"{Found} closes nothing");
            ReadEntry(into, depth);
            if (!IsSeparated(closing))
                throw Wrong($"a comma or a new line is missing before {Found}");
        }
    }

    private void ReadEntry(PolicyObject into, int depth)
    {
        while (true)
        {
            var (line, column) = (_line, Column);
            var key = ReadKey();
            SkipSpace(andLines: false);
            if (Current == '.')
            {
                // A path: each of its steps is an object, made by the first path that leads through it.
                _at++;
                if (into[key] is not { } step)
                    into.Add(key, step = new PolicyObject(line, column), line, column);
                into = step as PolicyObject ?? throw new PolicyException(line, column, $"{Printable.Of(key)} is {step.Kind} on line {step.Line}, and nothing can be below it");
                if (++depth >= MaximumDepth)
                    throw Wrong($"brackets are nested deeper than {MaximumDepth}");
                continue;
            }

            if (Current == '+')
                throw Wrong("+= is not taken here: write the whole list in one place");
            if (Current is '=' or ':')
                _at++;
            else if (Current != '{')
                throw Wrong($"{Printable.Of(key)} has no value: expected = … or {{ … }}, found {Found}");
            SkipSpace(andLines: true);
            into.Add(key, ReadValue(depth + 1), line, column);
            return;
        }
    }

    private string ReadKey()
    {
        if (Current == '"')
            return ReadQuoted();
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Current) || Current is '-' or '_')
            _at++;
        var key = _text[start.._at];
        if (key == "include" && Current is ' ' or '\t')
            throw Wrong("include is not taken here: a policy is one file");
        return key.Length > 0 ? key : throw Wrong($"a key is expected, found {Found}; in quotes it may have any letters");
    }

    private List<PolicyNode> ReadItems(int line, int column, int depth)
    {
        var items = new List<PolicyNode>();
        while (true)
        {
            SkipSeparators();
            if (IsAtEnd)
                throw new PolicyException(line, column, "[ is not closed: a ] is missing");
            if (Current == ']')
            {
                _at++;
                return items;
            }

            items.Add(ReadValue(depth + 1));
            if (!IsSeparated(']'))
                throw Wrong($"a comma or a new line is missing before {Found}");
        }
    }

    private string ReadQuoted()
    {
        var (line, column) = (_line, Column);
        var text = new System.Text.StringBuilder();
        for (_at++; !IsAtEnd && Current is not ('\n' or '\r'); _at++)
        {
            if (Current == '"')
            {
                _at++;
                return text.ToString();
            }

            if (Current == '\\')
            {
                _at++;
                text.Append(Current switch
                {
                    '"' or '\\' or '/' => Current,
                    't' => '\t',
                    _ => throw Wrong($"\\{Current} is no escape: \\\", \\\\, \\/ and \\t are"),
                });
                continue;
            }

            text.Append(Current);
        }

        throw new PolicyException(line, column, "the quote is not closed on its line");
    }

    private string ReadPlain()
    {
        var start = _at;
        while (!IsAtEnd && !EndsValue.Contains(Current) && !IsComment())
        {
            if (Current == '$')
                throw Wrong("substitutions (${…}) are not taken here: write the value");
            _at++;
        }

        var text = _text[start.._at].TrimEnd();
        return text.Length > 0 ? text : throw Wrong($"a value is expected, found {Found}");
    }

    private bool IsComment() => Current == '#' || (Current == '/' && _at + 1 < _text.Length && _text[_at + 1] == '/');

    private bool IsSeparated(char closing)
    {
        SkipSpace(andLines: false);
        return IsAtEnd || Current is ',' or '\n' || Current == closing;
    }

    private void SkipSeparators()
    {
        SkipSpace(andLines: true);
        while (Current == ',')
        {
            _at++;
            SkipSpace(andLines: true);
        }
    }

    private void SkipSpace(bool andLines)
    {
        while (!IsAtEnd)
        {
            if (IsComment())
            {
                while (!IsAtEnd && Current != '\n')
                    _at++;
            }
            else if (Current == '\n' && andLines)
            {
                _at++;
                _line++;
                _lineStart = _at;
            }
            else if (Current is ' ' or '\t' or '\r' or '\ufeff')
            {
                _at++;
            }
            else
            {
                return;
            }
        }
    }
}
