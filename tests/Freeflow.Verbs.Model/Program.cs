using System.Globalization;
using Freeflow.Verbs.Model.Sequences;

// Sequences of calls with what each must answer, for tests/Programs/verbs-sequence.c: one to standard output, or a range into a directory.
int[] seeds = [.. args.Take(2).Where(word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out _)).Select(int.Parse)];
switch (args.Length, seeds.Length)
{
    case (1, 1):
        Console.Write(SequenceGenerator.Generate(seeds[0]));
        return 0;
    case (3, 2):
        for (var seed = seeds[0]; seed <= seeds[1]; seed++)
            File.WriteAllText(Path.Combine(args[2], $"seed-{seed}"), SequenceGenerator.Generate(seed));
        return 0;
    default:
        Console.Error.WriteLine("usage: Freeflow.Verbs.Model SEED | FIRST LAST DIRECTORY");
        return 2;
}
