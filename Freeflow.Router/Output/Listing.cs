using Spectre.Console;

namespace Freeflow.Router.Output;

/// <summary>
/// A table: with lines on a terminal, and elsewhere plain columns for other programs, as wide as they have to be. What is in a cell is shown
/// and never obeyed (<see cref="Printable"/>).
/// </summary>
public sealed class Listing
{
    private const int NoWidth = 10_000;

    private static readonly Padding s_apart = new(0, 0, 2, 0);

    private readonly Table _table = new();

    /// <param name="columns">Their heads; those that end in # have numbers, at the right.</param>
    public Listing(params ReadOnlySpan<string> columns)
    {
        foreach (var column in columns)
        {
            var head = new TableColumn(new Text(column.TrimEnd('#'))) { NoWrap = true };
            _table.AddColumn(column.EndsWith('#') ? head.RightAligned() : head);
        }
    }

    public void Add(params ReadOnlySpan<string?> cells)
    {
        var row = new List<Text>();
        foreach (var cell in cells)
            row.Add(new Text(Printable.Of(cell is { Length: > 0 } ? cell : "-")));
        _table.AddRow(row);
    }

    /// <summary>With lines, for a terminal that something else writes to.</summary>
    public Table Table()
    {
        _table.Border = TableBorder.Rounded;
        return _table;
    }

    /// <summary>To standard output.</summary>
    public void Write() => WriteTo(Console.Out, isTerminal: !Console.IsOutputRedirected);

    public void WriteTo(TextWriter output, bool isTerminal)
    {
        _table.Border = isTerminal ? TableBorder.Rounded : TableBorder.None;
        if (isTerminal)
        {
            On(output, AnsiSupport.Detect).Write(_table);
            return;
        }

        foreach (var column in _table.Columns)
            column.Padding = s_apart;
        var plain = new StringWriter();
        var console = On(plain, AnsiSupport.No);
        console.Profile.Width = NoWidth;
        console.Write(_table);
        foreach (var line in plain.ToString().AsSpan().TrimEnd('\n').EnumerateLines())
            output.WriteLine(line.TrimEnd(' '));
    }

    private static IAnsiConsole On(TextWriter output, AnsiSupport ansi) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(output),
        Ansi = ansi,
        Interactive = InteractionSupport.No,
    });
}
