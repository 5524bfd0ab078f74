namespace Freeflow.Bench;

/// <summary>A ratio of two figures of one run that Freeflow has to reach.</summary>
public sealed record Bar(string What, double Ratio, double Wanted, bool AtLeast)
{
    public bool IsReached => AtLeast ? Ratio >= Wanted : Ratio <= Wanted;

    public override string ToString() =>
        $"{(IsReached ? "reached" : "MISSED "),-8} {What}: {Ratio:0.00#} ({(AtLeast ? "at least" : "at most")} {Wanted:0.##})";
}
