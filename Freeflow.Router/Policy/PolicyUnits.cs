using System.Globalization;

namespace Freeflow.Router.Policy;

/// <summary>Numbers of a policy with their units. What is none comes back as null.</summary>
internal static class PolicyUnits
{
    private static readonly (string Suffix, double Factor)[] s_bits = [("kbit", 1e3), ("Mbit", 1e6), ("Gbit", 1e9), ("bit", 1)];
    private static readonly (string Suffix, double Factor)[] s_bytes = [("k", 1L << 10), ("m", 1L << 20), ("g", 1L << 30), ("t", 1L << 40), ("b", 1)];

    /// <summary>Bits a second, with their unit, as bytes.</summary>
    public static long? Rate(string text) => Read(text, s_bits) is { } bits ? (long)(bits / 8) : null;

    /// <summary>Bytes; without a unit they are bytes, too.</summary>
    public static long? Size(string text) => Read(text, s_bytes) is { } bytes ? (long)bytes
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var plain) ? plain : null;

    private static double? Read(string text, (string Suffix, double Factor)[] units)
    {
        foreach (var (suffix, factor) in units)
        {
            if (text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)
                && double.TryParse(text.AsSpan(0, text.Length - suffix.Length).TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return number * factor is var value and < long.MaxValue ? value : null;
        }

        return null;
    }
}
