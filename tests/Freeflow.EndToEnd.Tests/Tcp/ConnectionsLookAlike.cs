namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>Connections that are there: their options and addresses, what is done with them, and many of them.</summary>
public sealed class ConnectionsLookAlike(LabFixture lab) : IClassFixture<LabFixture>
{
    /// <summary>Where a program sets what few set, going plain is an answer too.</summary>
    public static SceneData Options => new(
        ("tcp-options kept", 2, 0),
        ("tcp-options rare-kept", 0, 2),
        ("tcp-options untouched", 1, 0),
        ("tcp-options kept-on-six", 1, 0),
        ("tcp-options flags", 6, 0),
        ("tcp-options tied", 0, 2),
        ("tcp-options inherited", 3, 0),
        ("tcp-options rare-inherited", 0, 3));

    public static SceneData Addresses => new(
        ("tcp-addresses copies", 2, 0),
        ("tcp-addresses lengths", 1, 0),
        ("tcp-addresses over", 3, 0), ("tcp-addresses streams", 1, 0));

    public static SceneData Use => new(
        ("tcp-after closing", 2, 0),
        ("tcp-after urgent", 2, 0),
        ("tcp-after resets", 4, 0),
        ("tcp-after reading", 1, 0),
        ("tcp-after full", 1, 0),
        ("tcp-after as-stdio", 2, 0));

    public static SceneData Plenty => new(
        ("tcp-bulk both-ways", 1, 0),
        ("tcp-bulk kernel-copies", 3, 0),
        ("tcp-bulk at-once", 2001, 0),
        ("tcp-wide sequence", 2000, 0),
        ("tcp-wide parallel", 3200, 0));

    [Theory]
    [MemberData(nameof(Options))]
    public void InTheirOptions(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);

    [Theory]
    [MemberData(nameof(Addresses))]
    public void InTheirAddresses(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);

    [Theory]
    [MemberData(nameof(Use))]
    public void InWhatIsDoneWithThem(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);

    [Theory]
    [MemberData(nameof(Plenty))]
    public void InPlenty(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);
}
