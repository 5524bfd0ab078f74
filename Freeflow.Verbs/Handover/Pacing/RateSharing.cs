namespace Freeflow.Verbs.Handover.Pacing;

/// <summary>
/// Divides a rate among those that send, by what they used of what they had: who used little gets what it needs to grow, those that used
/// all of theirs get equal shares of the rest.
/// </summary>
internal static class RateSharing
{
    /// <summary>Of its share; who has used more would use more than all of it.</summary>
    private const double UsesItFrom = 0.7;

    /// <summary>What one that uses less may use next, to what it used.</summary>
    private const double Growth = 1.5;

    /// <param name="capacity">To be divided.</param>
    /// <param name="used">What each has used.</param>
    /// <param name="shares">What each had then; on return what it has now.</param>
    public static void Divide(double capacity, ReadOnlySpan<double> used, Span<double> shares)
    {
        var (hungry, quiet) = (0, 0);
        var wanted = 0.0;
        for (var i = 0; i < used.Length; i++)
        {
            if (used[i] >= UsesItFrom * shares[i])
            {
                hungry++;
            }
            else
            {
                quiet++;
                wanted += used[i] * Growth;
            }
        }

        // What the quiet ones may use leaves at least their part of an equal division to the others.
        var level = hungry == 0 ? capacity : Math.Max(capacity - wanted, capacity * hungry / used.Length) / hungry;

        // Those that begin again wait for nothing: until the next division they may have as much again, all together.
        var spare = quiet == 0 ? 0 : Math.Min(level, capacity / quiet);
        for (var i = 0; i < used.Length; i++)
            shares[i] = used[i] >= UsesItFrom * shares[i] ? level : Math.Clamp(used[i] * Growth, spare, Math.Max(spare, level));
    }
}
