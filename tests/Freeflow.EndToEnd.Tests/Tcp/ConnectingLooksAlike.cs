namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>connect(), and what readiness says of it.</summary>
public sealed class ConnectingLooksAlike(LabFixture lab) : IClassFixture<LabFixture>
{
    public static SceneData Connections => new(
        ("tcp-connect blocking", 1, 0),
        ("tcp-connect nonblocking", 5, 0),
        ("tcp-connect bound", 2, 4),
        ("tcp-connect six", 3, 0),
        ("tcp-connect used-again", 1, 2),
        ("tcp-connect threads", 320, 0),
        ("tcp-connect at-once", 100, 0),
        ("tcp-connect signalled", 200, 0),
        ("tcp-connect abandoned", 1, 20),
        ("tcp-connect fast-open", 0, 2),
        ("tcp-connect copies", 0, 2),
        ("tcp-connect no-socket", 0, 0),
        ("tcp-connect elsewhere", 0, 0));

    public static SceneData Readiness => new(
        ("tcp-events before", 8, 0),
        ("tcp-events after", 3, 0),
        ("tcp-events by-another-thread", 1, 0),
        ("tcp-events odd-sets", 6, 0),
        ("tcp-events by-a-child", 0, 1));

    /// <summary>A socket that was refused may be connected again, and is then as good as a new one or not.</summary>
    public static SceneData Refusals => new(
        ("tcp-refusals refused", 0, 11),
        ("tcp-refusals arguments", 1, 0),
        ("tcp-refusals nowhere", 0, 0));

    [Theory]
    [MemberData(nameof(Connections))]
    public void WhenItSucceeds(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);

    [Theory]
    [MemberData(nameof(Readiness))]
    public void ToEpollSets(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);

    [Theory]
    [MemberData(nameof(Refusals))]
    public void WhenItFails(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);

    [Theory]
    [Trait("Tier", "All")]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WhenNobodyIsThere(Placement placement) => new ScenePair(lab, placement).MustLookAlike("tcp-refusals unreachable", 0);

    /// <summary>
    /// Addresses where everything vanishes, and a way that is mended while connect() waits. The clients change their
    /// container's network for this, which takes CAP_NET_ADMIN, with which they get no host sockets.
    /// </summary>
    [Theory]
    [Trait("Tier", "All")]
    [InlineData("tcp-refusals timed-out", Placement.SameHost)]
    [InlineData("tcp-refusals timed-out", Placement.AcrossHosts)]
    [InlineData("tcp-refusals interrupted", Placement.SameHost)]
    [InlineData("tcp-refusals interrupted", Placement.AcrossHosts)]
    public void WhenNothingAnswers(string scene, Placement placement) =>
        new ScenePair(lab, placement) { WithPrivilegedClient = true }.MustLookAlike(scene, 0);
}
