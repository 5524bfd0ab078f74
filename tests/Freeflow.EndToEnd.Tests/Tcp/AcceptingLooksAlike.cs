namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>Listeners: ways to wait and to accept, who shares them, what becomes of them.</summary>
public sealed class AcceptingLooksAlike(LabFixture lab) : IClassFixture<LabFixture>
{
    /// <summary>A server that leaves callers alone for a tenth of a second, time after time, may be taken for one that does not look.</summary>
    public static SceneData Waiting => new(
        ("tcp-accept each-way", 24, 0),
        ("tcp-accept bursts", 70, 0),
        ("tcp-accept one-shot", 2, 6),
        ("tcp-accept interruptions", 3, 0),
        ("tcp-accept arguments", 12, 0),
        ("tcp-accept stopping", 2, 0));

    /// <summary>Who was given a listener over a unix socket serves; whether by the host's network is open.</summary>
    public static SceneData Listeners => new(
        ("tcp-listeners bound", 5, 0),
        ("tcp-listeners closed", 10, 0),
        ("tcp-listeners copied", 11, 0),
        ("tcp-listeners inherited", 12, 0),
        ("tcp-listeners passed", 0, 6),
        ("tcp-listeners deferred", 4, 0));

    /// <summary>In the last three scenes some of the callers are plain.</summary>
    public static SceneData Sharing => new(
        ("tcp-sharing threads", 40, 0),
        ("tcp-sharing processes", 40, 0),
        ("tcp-sharing exclusive", 50, 0),
        ("tcp-sharing reuseport", 50, 0),
        ("tcp-sharing edge", 50, 0),
        ("tcp-sharing one-shot", 4, 0),
        ("tcp-sharing mixed", 55, 0),
        ("tcp-sharing mixed-blocking", 20, 0));

    [Theory]
    [MemberData(nameof(Waiting))]
    public void HoweverOneWaits(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);

    [Theory]
    [MemberData(nameof(Listeners))]
    public void WhereverTheListenerGoes(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);

    [Theory]
    [MemberData(nameof(Sharing))]
    public void WhoeverAccepts(string scene, int must, int may, Placement placement) => new ScenePair(lab, placement).MustLookAlike(scene, must, may);
}
