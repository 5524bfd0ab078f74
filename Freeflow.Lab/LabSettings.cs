namespace Freeflow.Lab;

/// <summary>
/// Settings of the routers beyond those of hocon/lab.conf, each "key=value". Two lists with the same settings are equal, so
/// that records which hold them compare by value.
/// </summary>
public sealed class LabSettings : List<string>, IEquatable<LabSettings>
{
    public bool Equals(LabSettings? other) => other is not null && this.SequenceEqual(other);

    public override bool Equals(object? obj) => Equals(obj as LabSettings);

    public override int GetHashCode() => this.Aggregate(0, HashCode.Combine);
}
