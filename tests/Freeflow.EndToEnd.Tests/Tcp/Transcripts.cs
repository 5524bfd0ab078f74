namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>What the two programs of a scene wrote, line by line.</summary>
public sealed record Transcripts(string Client, string Server, string Errors)
{
    /// <summary>Fails with the first lines that differ, and what went before them.</summary>
    public static void MustBeAlike(string scene, Transcripts plain, Transcripts accelerated)
    {
        if (FirstDifference(plain.Client, accelerated.Client) is { } atClient)
            Assert.Fail($"{scene}: the client sees a difference\n{atClient}\n{accelerated.Errors}");
        if (FirstDifference(plain.Server, accelerated.Server) is { } atServer)
            Assert.Fail($"{scene}: the server sees a difference\n{atServer}\n{accelerated.Errors}");
    }

    private static string? FirstDifference(string plain, string accelerated)
    {
        var (one, other) = (plain.Split('\n'), accelerated.Split('\n'));
        for (var line = 0; line < Math.Max(one.Length, other.Length); line++)
        {
            var (expected, found) = (one.ElementAtOrDefault(line) ?? "(end)", other.ElementAtOrDefault(line) ?? "(end)");
            if (expected != found)
                return string.Join('\n', one[Math.Max(0, line - 4)..line].Select(before => $"    {before}")) + $"\n  plain:     {expected}\n  with it:   {found}";
        }

        return null;
    }
}
