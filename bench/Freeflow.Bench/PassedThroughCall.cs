namespace Freeflow.Bench;

/// <summary>A kind of call that the preload has nothing to do with, with and without it.</summary>
public sealed record PassedThroughCall(string Name)
{
    public Measurement Ratio { get; } = new(Name, "of the time without the preload");

    public Measurement Plain { get; } = new(Name, "ns");

    public Measurement Preloaded { get; } = new(Name, "ns");
}
