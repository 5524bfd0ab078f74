using Freeflow.Router.Output;

namespace Freeflow.Router.Tests.Output;

public sealed class HostileNamesAreHarmless
{
    [Theory]
    [InlineData("ib_send_bw", "ib_send_bw")]
    [InlineData("Größe 日本 🙂", "Größe 日本 🙂")]
    [InlineData("\u001b[31mred\u001b[0m", @"\x1b[31mred\x1b[0m")]
    [InlineData("a\r\nb\tc\0", @"a\x0d\x0ab\x09c\x00")]
    [InlineData("\u007f\u009b2J", @"\x7f\x9b2J")]
    [InlineData("\u202eevil\u2066\u200b", @"\u202eevil\u2066\u200b")]
    [InlineData("\u2028\ue000", @"\u2028\ue000")]
    [InlineData(@"\x1b", @"\\x1b")]
    [InlineData("[red]x[/]", "[red]x[/]")]
    public void InATextOfTheirOwn(string name, string expected) => Assert.Equal(expected, Printable.Of(name));

    [Fact]
    public void HalvesOfCharactersToo() => Assert.Equal(@"\ufffda", Printable.Of(string.Concat((char)0xd800, 'a')));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void InATable(bool isTerminal)
    {
        var listing = new Listing("NAME", "N#");
        listing.Add("[red]\u001b[31mx[/][/][[", "7");
        listing.Add("[bold", null);
        var output = new StringWriter();
        listing.WriteTo(output, isTerminal);
        var said = output.ToString();
        Assert.DoesNotContain("\u001b[31m", said);
        Assert.Contains(@"[red]\x1b[31mx[/][/][[", said);
        Assert.Contains("[bold", said);
    }

    [Fact]
    public void ATableForProgramsHasALineForEachRowHoweverLong()
    {
        var listing = new Listing("NAME", "OTHER", "N#");
        listing.Add(new string('x', 500), "a b", "7");
        var output = new StringWriter();
        listing.WriteTo(output, isTerminal: false);
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Equal(line.Trim(), line));
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("NAME", lines[0]);
        Assert.StartsWith(new string('x', 500) + " ", lines[1]);
        Assert.EndsWith("7", lines[1]);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.50 KiB")]
    [InlineData(64L << 20, "64.0 MiB")]
    [InlineData(200L << 30, "200 GiB")]
    public void BytesAreWrittenForPeople(long bytes, string expected) => Assert.Equal(expected, ByteCount.Of((ulong)bytes));
}
