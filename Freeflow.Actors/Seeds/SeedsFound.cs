using System.Net;

namespace Freeflow.Actors.Seeds;

/// <summary>Where to look for the cluster.</summary>
/// <param name="Method">By which they were found; "" when none has found any.</param>
/// <param name="At">The lowest first, each once.</param>
public sealed record SeedsFound(string Method, IReadOnlyList<IPEndPoint> At)
{
    /// <summary>What is wrong with how they, or those that would come first, are given; for people.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>
    /// Whether somebody has written them down, so that they are all there are and the first of them may be waited for. What DNS and the tables
    /// say may be of hosts that have no router, or not yet tell of all that have.
    /// </summary>
    public bool IsWritten => Method is SeedMethod.List or SeedMethod.File;

    /// <summary>The same ones, found in the same way.</summary>
    public bool Equals(SeedsFound? other) => other is not null && Method == other.Method && At.SequenceEqual(other.At);

    public override int GetHashCode() => HashCode.Combine(Method, At.Count);

    public override string ToString() => At.Count == 0 ? "none" : $"{string.Join(", ", At)} (by {Method})";
}
