namespace Freeflow.Lab;

/// <summary>Words that were given to a lab, in their order. Two lists with the same words are equal, so that records which hold them compare by value.</summary>
public abstract class LabWords : List<string>, IEquatable<LabWords>
{
    public bool Equals(LabWords? other) => other is not null && other.GetType() == GetType() && this.SequenceEqual(other);

    public override bool Equals(object? obj) => Equals(obj as LabWords);

    public override int GetHashCode() => this.Aggregate(0, HashCode.Combine);
}
