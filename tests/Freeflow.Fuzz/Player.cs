using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Sequences;
using Freeflow.Fuzz.Steps;

namespace Freeflow.Fuzz;

/// <summary>Makes sequences, and plays them against the router.</summary>
internal sealed class Player : IDisposable
{
    private const int ShortestSequence = 10;
    private const int LongestSequence = 90;

    private readonly Arena _arena = new();

    /// <summary>All that has been seen of the router.</summary>
    public HashSet<string> Seen { get; } = [];

    public long Steps { get; private set; }

    /// <summary>What was done last: as much as has been begun of the sequence that is played, or of the last one.</summary>
    public Sequence Last { get; private set; } = new([]);

    /// <summary>Plays the sequence of a seed. Returns how much was seen for the first time.</summary>
    public int Play(ulong seed)
    {
        var random = new SplitMix(seed);
        var length = ShortestSequence + random.Below(LongestSequence - ShortestSequence);
        var isPrepared = random.Below(8) != 0;
        return Play(
            Enumerable.Range(0, length).Select(at => (at == 0 && isPrepared ? Catalogue.First : Catalogue.Draw(random), new Choices(new SplitMix(random.Next())))), seed);
    }

    /// <summary>Plays a sequence as it was written down.</summary>
    public int Play(Sequence sequence) => Play(sequence.Steps.Select(step => (step.Name, new Choices(step.Choices))), 1);

    /// <summary>A sequence with something changed in it.</summary>
    public static Sequence Vary(Sequence sequence, Sequence other, SplitMix random)
    {
        var steps = sequence.Steps.ToList();
        for (var left = random.Below(4); left >= 0 && steps.Count > 1; left--)
        {
            var at = random.Below(steps.Count);
            switch (random.Below(5))
            {
                case 0:
                    steps.RemoveAt(at);
                    break;
                case 1:
                    steps.Insert(random.Below(steps.Count), steps[at]);
                    break;
                case 2:
                    steps.InsertRange(at, other.Steps.Skip(random.Below(other.Steps.Count)).Take(1 + random.Below(8)));
                    break;
                case 3:
                    var fresh = new Choices(new SplitMix(random.Next()));
                    for (var choice = 0; choice < 64; choice++)
                        fresh.Next(0);
                    steps.Insert(at, new Step(Catalogue.Draw(random), fresh.Taken));
                    break;
                default:
                    var choices = steps[at].Choices.ToArray();
                    if (choices.Length > 0)
                        choices[random.Below(choices.Length)] = random.Below(2) == 0 ? (ulong)random.Below(32) : random.Next();
                    steps[at] = steps[at] with { Choices = choices };
                    break;
            }
        }

        return new Sequence([.. steps.Take(2 * LongestSequence)]);
    }

    public void Dispose() => _arena.Dispose();

    private int Play(IEnumerable<(string Name, Choices Choices)> steps, ulong seed)
    {
        var begun = new List<(string Name, Choices Choices)>();
        using var scene = new Scene(_arena, Seen, seed);
        try
        {
            foreach (var step in steps)
            {
                begun.Add(step);
                Catalogue.Find(step.Name)(scene, step.Choices);
                Steps++;
            }

            scene.Storm.Over([]);
            scene.MustBeWhole();
            return scene.News;
        }
        catch (Exception defect) when (defect is not FindingException)
        {
            // The fuzzer's own, or it was answered with what no library could read.
            throw new FindingException(defect.ToString());
        }
        finally
        {
            Last = new Sequence([.. begun.Select(step => new Step(step.Name, step.Choices.Taken))]);
        }
    }
}
