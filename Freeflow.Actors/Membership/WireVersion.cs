using System.Globalization;
using Akka.Cluster;

namespace Freeflow.Actors.Membership;

/// <summary>
/// The version of what routers say to each other: the messages of their actors, and the pages of the directory. A router shows it as a role
/// of the cluster's, which every member knows before the first word. With a member of another version nothing is said: no link, none of its
/// addresses. It counts as a member in all else, so that routers are replaced one by one. The links show versions of their own.
/// </summary>
public static class WireVersion
{
    /// <summary>Of this program. Grows with each change that others would not understand.</summary>
    public const int Current = 2;

    /// <summary>Of those from before there was a version.</summary>
    public const int Unsaid = 1;

    private const string RolePrefix = "freeflow-wire-";
    private const string Fault = "wire-version=";

    /// <summary>What this router shows: <see cref="Current"/>, or with FREEFLOW_FAULT=wire-version=N in its environment another one, for tests.</summary>
    public static int Own { get; } = Environment.GetEnvironmentVariable("FREEFLOW_FAULT") is { } fault && fault.StartsWith(Fault, StringComparison.Ordinal)
        && TryParse(fault.AsSpan(Fault.Length), out var shown) ? shown : Current;

    /// <summary>The role by which this router shows it.</summary>
    public static string Role { get; } = RolePrefix + Own.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether a member is spoken with.</summary>
    public static bool IsUnderstood(Member member) => Of(member.Roles) == Own;

    /// <summary>Why it is not.</summary>
    public static string WhyNot(Member member) => Of(member.Roles) is { } version
        ? $"it speaks version {version} of the routers' protocol, and this router version {Own}"
        : $"it does not say in one role which version of the routers' protocol it speaks; this router speaks version {Own}";

    /// <summary>Null where it is unclear.</summary>
    public static int? Of(IEnumerable<string> roles)
    {
        int? version = null;
        foreach (var role in roles.Where(role => role.StartsWith(RolePrefix, StringComparison.Ordinal)))
        {
            if (version is not null || !TryParse(role.AsSpan(RolePrefix.Length), out var said))
                return null;
            version = said;
        }

        return version ?? Unsaid;
    }

    private static bool TryParse(ReadOnlySpan<char> text, out int version) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version);
}
