namespace Freeflow.Verbs.Engine;

/// <summary>Bounds of the engine that the device's attributes report.</summary>
public static class EngineLimits
{
    /// <summary>Bytes of the longest message.</summary>
    public const uint MaximumMessage = 1u << 30;
}
