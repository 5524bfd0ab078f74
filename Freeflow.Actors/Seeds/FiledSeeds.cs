using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;

namespace Freeflow.Actors.Seeds;

/// <summary>Those of a file, one a line, which is read anew each time. Empty lines, and what follows a #, are left out; so are lines that name no seed.</summary>
/// <param name="path">The file; it may be missing for a while.</param>
/// <param name="port">Where a line gives none.</param>
/// <param name="family">Of this host's address.</param>
public sealed class FiledSeeds(string path, int port, AddressFamily family) : SeedMethod(family)
{
    private const int MostBytes = 256 << 10;
    private const int LongestShown = 80;

    private static readonly TimeSpan s_readWithin = TimeSpan.FromSeconds(2);

    private Task<string>? _reading;

    /// <summary>Akka calls this.</summary>
    public FiledSeeds(ExtendedActorSystem system, Config config)
        : this(config.GetString("path"), config.GetInt("port"), SeedMethods.FamilyOf(config))
    {
    }

    public override string Source => path;

    protected override async Task<(IReadOnlyList<SeedEntry> Entries, string? Problem)> FindAsync()
    {
        try
        {
            // A pipe that nobody writes, or a file server that is gone, holds up one thread and no more.
            _reading ??= Task.Run(Read);
            var text = await _reading.WaitAsync(s_readWithin).ConfigureAwait(false);
            _reading = null;
            var (seeds, wrong) = Parse(text, port);
            return (seeds, wrong is null ? null : $"{path}: \"{wrong}\" is no seed: expected {SeedEntry.Accepted}");
        }
        catch (TimeoutException)
        {
            return ([], $"{path} could not be read within {s_readWithin.TotalSeconds} s");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            _reading = null;
            return ([], $"{path} can't be read: {problem.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>The seeds of a file's text, and the first line that is none; null: each is one.</summary>
    internal static (IReadOnlyList<SeedEntry> Seeds, string? Wrong) Parse(string text, int port)
    {
        List<SeedEntry> seeds = [];
        string? wrong = null;
        foreach (var line in text.Split('\n').Select(line => line.Split('#')[0].Trim()).Where(line => line.Length > 0))
        {
            if (SeedEntry.Parse(line, port) is { } seed)
                seeds.Add(seed);
            else
                wrong ??= line.Length > LongestShown ? line[..LongestShown] : line;
        }

        return (seeds, wrong);
    }

    private string Read()
    {
        using var file = System.IO.File.OpenRead(path);
        var bytes = new byte[MostBytes];
        return System.Text.Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, MostBytes, throwOnEndOfStream: false));
    }
}
