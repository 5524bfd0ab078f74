namespace Freeflow.Actors.Seeds;

/// <summary>What is said of seeds within a router.</summary>
public static class SeedProtocol
{
    /// <summary>Where to look for routers that are no members.</summary>
    public sealed record Known(SeedsFound Seeds);
}
