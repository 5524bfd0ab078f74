using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Policy;

/// <summary>What the policy's actor is asked.</summary>
public static class PolicyProtocol
{
    /// <summary>Puts a policy in force, if nothing is wrong with it; answered by <see cref="Applied"/> or <see cref="Refused"/>.</summary>
    /// <param name="Text">The whole of it.</param>
    /// <param name="Source">Where it is from, for who asks later.</param>
    public sealed record Apply(string Text, string Source);

    public sealed record Applied(PolicyReport Now);

    public sealed record Refused(string Problem);

    /// <summary>Answered by <see cref="PolicyReport"/>.</summary>
    public sealed class Show
    {
        public static Show Instance { get; } = new();
    }
}

/// <summary>What holds, and since when.</summary>
/// <param name="Policy">In force.</param>
/// <param name="Source">Where it is from.</param>
/// <param name="Since">UTC.</param>
/// <param name="File">The file that is watched.</param>
/// <param name="Problem">Why the file's present text does not hold; null while nothing is wrong with it.</param>
/// <param name="Labels">What is known of labels.</param>
public sealed record PolicyReport(AccessPolicy Policy, string Source, DateTime Since, string File, string? Problem, LabelsReport Labels);

/// <param name="File">That is watched.</param>
/// <param name="Addresses">Whose labels are known.</param>
/// <param name="Problem">Why the file's present text does not hold; null while nothing is wrong with it.</param>
public sealed record LabelsReport(string File, int Addresses, string? Problem);

/// <summary>What the process knows of the policy before there are actors.</summary>
/// <param name="InForce">Where it is held.</param>
/// <param name="File">The path that is watched.</param>
/// <param name="Text">What was read there; null where there was nothing.</param>
/// <param name="Read">Makes a policy of a text, and of the labels that are known; null: nobody says any. Throws <see cref="PolicyException"/>.</param>
/// <param name="LookEvery">How often the files are looked at.</param>
public sealed record PolicySetting(PolicyInForce InForce, string File, string? Text, Func<string, ContainerLabels?, AccessPolicy> Read, TimeSpan LookEvery)
{
    /// <summary>The path that is watched for labels.</summary>
    public required string LabelFile { get; init; }

    /// <summary>What was read there; null where there was nothing.</summary>
    public string? LabelText { get; init; }

    /// <summary>The same, read.</summary>
    public ContainerLabels? Labels { get; init; }

    /// <summary>Makes labels of a text. Throws <see cref="PolicyException"/>.</summary>
    public required Func<string, ContainerLabels> ReadLabels { get; init; }
}
