namespace Freeflow.Verbs.Model.Device;

/// <summary>
/// One entry of a scatter-gather list, or with length 0 a place in a peer's memory, through a window where there is one. A wrong
/// key is one that nothing has, a former one the window's before it was bound the last time.
/// </summary>
public sealed record Part(Region Region, int Offset, int Length, bool HasWrongKey = false)
{
    public Window? Through { get; init; }

    public bool HasFormerKey { get; init; }

    /// <summary>Whose key it is, and where from there, as tests/Programs/verbs-sequence-work.c reads it.</summary>
    public string Place => (Through is null ? $"{Region.Name}+{Offset}" : $"{Through.Name}+{Offset - (Through.Bound?.Offset ?? 0)}")
        + (HasWrongKey ? "!" : HasFormerKey ? "^" : "");

    public bool Allows(string domain, Access needed, long length) => !HasWrongKey && Region.Allows(domain, needed, Offset, length);

    /// <summary>Whether a peer of this QP may do that at this place.</summary>
    public bool Opens(QueuePair to, Access needed, long length) =>
        Through is null ? Allows(to.Domain, needed, length) : !HasWrongKey && !HasFormerKey && Through.Opens(to, needed, Offset, length);

    /// <summary>Whether its key is one of that PD's.</summary>
    public bool HasKeyOf(string domain) => !HasWrongKey && Region.IsAlive && Region.Domain == domain;

    public override string ToString() => $"{Region.Name}+{Offset}/{Length}{(HasWrongKey ? "!" : "")}";
}
