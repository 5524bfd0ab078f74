using System.Net;
using Freeflow.Actors.Policy;
using Freeflow.Router.Output;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Policy;

/// <summary>
/// What an orchestrator says of the cluster's containers: a line for each address, with its labels behind it (<c>10.244.1.9 namespace=shop
/// app=db</c>). Labels are compared and never interpreted, so they may have any letters but spaces.
/// </summary>
internal static class LabelFile
{
    private const int LongestShown = 64;

    /// <summary>Throws <see cref="PolicyException"/> with the place in this file.</summary>
    public static ContainerLabels Read(string text)
    {
        var addresses = new Dictionary<Gid, IReadOnlyList<string>>();
        // The same few labels stand in many lines.
        var known = new HashSet<string>().GetAlternateLookup<ReadOnlySpan<char>>();
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            List<string>? its = null;
            for (var at = 0; Next(line, ref at) is { Length: > 0 } word && word[0] != '#'; at += word.Length)
            {
                if (its is not null)
                    its.Add(IsLabel(word) ? Once(known, word) : throw Wrong(number, at, word, "is no label: expected KEY=VALUE, such as namespace=shop"));
                else if (!IPAddress.TryParse(word, out var address) || !word.ContainsAny('.', ':'))
                    throw Wrong(number, at, word, "is no address: a line is ADDRESS KEY=VALUE KEY=VALUE …");
                else if (!addresses.TryAdd(Gid.FromAddress(address), its = []))
                    throw Wrong(number, at, word, "is given twice: an address is one container's");
            }
        }

        return new ContainerLabels(addresses);
    }

    /// <summary>KEY=VALUE without spaces; the value may be empty, as in Kubernetes.</summary>
    public static bool IsLabel(ReadOnlySpan<char> word)
    {
        var at = 0;
        return word.IndexOf('=') > 0 && Next(word, ref at).Length == word.Length;
    }

    private static ReadOnlySpan<char> Next(ReadOnlySpan<char> line, ref int at)
    {
        while (at < line.Length && char.IsWhiteSpace(line[at]))
            at++;
        var end = at;
        while (end < line.Length && !char.IsWhiteSpace(line[end]))
            end++;
        return line[at..end];
    }

    private static string Once(HashSet<string>.AlternateLookup<ReadOnlySpan<char>> known, ReadOnlySpan<char> word)
    {
        known.Add(word);
        return known.TryGetValue(word, out var label) ? label : word.ToString();
    }

    private static PolicyException Wrong(int line, int at, ReadOnlySpan<char> word, string problem) =>
        new(line, at + 1, $"\"{Printable.Of(word.Length > LongestShown ? $"{word[..LongestShown]}…" : word.ToString())}\" {problem}");
}
