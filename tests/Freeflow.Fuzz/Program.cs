using System.Diagnostics;
using System.Globalization;
using Freeflow.Fuzz;
using Freeflow.Fuzz.Sequences;

// A hostile container process; run in a container, without the preload.
return args switch
{
    ["run", .. var rest] => Run(rest),
    ["replay", .. var what] when what.Length > 0 => Replay(what),
    ["show", var seed] => Show(ulong.Parse(seed, CultureInfo.InvariantCulture)),
    ["truncations"] => Truncate(),
    ["distil", var from, var to] => Distil(from, to),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: freeflow-fuzz run --seconds N [--seed S] [--corpus DIR] [--keep DIR]   random sequences; new ones are kept in DIR
               freeflow-fuzz replay FILE|DIR|SEED...                                  what was found before
               freeflow-fuzz show SEED                                                a seed's sequence, played, as text
               freeflow-fuzz truncations                                              every command at every length
               freeflow-fuzz distil FROM TO                                           keeps those that show all that others do
        """);
    return 2;
}

static int Run(string[] words)
{
    string? Option(string name) => Array.IndexOf(words, name) is >= 0 and var at && at + 1 < words.Length ? words[at + 1] : null;
    var seconds = double.Parse(Option("--seconds") ?? "10", CultureInfo.InvariantCulture);
    var seed = Option("--seed") is { } given ? ulong.Parse(given, CultureInfo.InvariantCulture) : (ulong)Environment.TickCount64;
    var keep = Option("--keep");
    using var player = new Player();
    var random = new SplitMix(seed);
    var corpus = Option("--corpus") is { } directory ? Files(directory).Select(Read).ToList() : [];
    var clock = Stopwatch.StartNew();
    long sequences = 0, found = 0, told = 0;
    Console.WriteLine($"seed {seed}, {corpus.Count} sequences to begin with");
    while (clock.Elapsed.TotalSeconds < seconds)
    {
        var number = random.Next() >> 16;
        var varies = corpus.Count > 0 && random.Below(2) == 0;
        try
        {
            var news = varies
                ? player.Play(Player.Vary(corpus[random.Below(corpus.Count)], corpus[random.Below(corpus.Count)], random))
                : player.Play(number);
            if (news > 0)
            {
                corpus.Add(player.Last);
                Write(keep, $"new-{number:x12}", player.Last.ToString());
            }
        }
        catch (FindingException finding)
        {
            found++;
            Tell(finding, varies ? $"variation {number:x12}" : $"seed {number}", player.Last);
            Write(keep, $"found-{number:x12}", $"# {finding.Message.ReplaceLineEndings("\n# ")}\n{player.Last}");
        }

        sequences++;
        if (clock.Elapsed.TotalMinutes >= told + 1)
        {
            told = (long)clock.Elapsed.TotalMinutes;
            Console.WriteLine($"{told} min: {sequences} sequences, {player.Steps} steps, {player.Seen.Count} behaviours, {corpus.Count} in the corpus, {found} found");
        }
    }

    Console.WriteLine($"{sequences} sequences, {player.Steps} steps, {player.Seen.Count} behaviours seen, {found} found");
    return found == 0 ? 0 : 1;
}

static int Replay(string[] what)
{
    using var player = new Player();
    var played = 0;
    var found = 0;
    foreach (var each in what)
    {
        if (ulong.TryParse(each, CultureInfo.InvariantCulture, out var seed))
            Play(each, () => player.Play(seed));
        else
        {
            foreach (var file in Files(each))
                Play(file, () => player.Play(Read(file)));
        }
    }

    if (what.Length == 1)
        Console.Write(string.Concat(player.Seen.Order(StringComparer.Ordinal).Select(behaviour => $"seen: {behaviour}\n")));

    Console.WriteLine($"{played} sequences, {player.Steps} steps, {player.Seen.Count} behaviours seen, {found} found");
    return played > 0 && found == 0 ? 0 : 1;

    void Play(string name, Func<int> play)
    {
        played++;
        try
        {
            play();
        }
        catch (FindingException finding)
        {
            found++;
            Tell(finding, name, player.Last);
        }
    }
}

static int Show(ulong seed)
{
    using var player = new Player();
    try
    {
        player.Play(seed);
    }
    catch (FindingException finding)
    {
        Console.WriteLine($"# {finding.Message}");
    }

    Console.Write(player.Last);
    return 0;
}

static int Truncate()
{
    using var truncations = new Truncations();
    truncations.Run();
    foreach (var finding in truncations.Findings)
        Console.WriteLine($"FOUND: {finding}");
    Console.WriteLine($"{truncations.Tried} commands, {truncations.Kinds} kinds, {truncations.Findings.Count} found");
    return truncations.Findings.Count == 0 ? 0 : 1;
}

static int Distil(string from, string to)
{
    var shown = new List<(Sequence Sequence, HashSet<string> Seen)>();
    foreach (var file in Files(from).Where(file => Path.GetFileName(file).StartsWith("new-", StringComparison.Ordinal)))
    {
        using var player = new Player();
        player.Play(Read(file));
        shown.Add((player.Last, player.Seen));
    }

    var left = shown.SelectMany(each => each.Seen).ToHashSet();
    for (var kept = 1; left.Count > 0; kept++)
    {
        var (sequence, seen) = shown.MaxBy(each => each.Seen.Count(left.Contains));
        var news = seen.Where(left.Contains).Order(StringComparer.Ordinal).ToList();
        left.ExceptWith(seen);
        Write(to, $"{kept:d3}", $"# {string.Join("; ", news.Take(6))}{(news.Count > 6 ? $"; and {news.Count - 6} more" : "")}\n{sequence}");
    }

    return 0;
}

static void Tell(FindingException finding, string where, Sequence sequence)
{
    Console.WriteLine($"FOUND: {finding.Message} ({where}); the sequence:");
    Console.Write(sequence);
}

static void Write(string? directory, string name, string text)
{
    if (directory is null)
        return;
    Directory.CreateDirectory(directory);
    File.WriteAllText(Path.Combine(directory, name + ".txt"), text);
}

static IEnumerable<string> Files(string path) => Directory.Exists(path) ? Directory.GetFiles(path, "*.txt").Order(StringComparer.Ordinal) : [path];

static Sequence Read(string file) => Sequence.Parse(File.ReadLines(file));
