using System.Globalization;

namespace Freeflow.Router.Output;

/// <summary>Bytes as people read them.</summary>
public static class ByteCount
{
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>With three digits or a little more: 17 B, 1.50 KiB, 64.0 GiB.</summary>
    public static string Of(ulong bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (value >= 1024 && unit < s_units.Length - 1)
            (value, unit) = (value / 1024, unit + 1);
        var digits = unit == 0 || value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00";
        return value.ToString(digits, CultureInfo.InvariantCulture) + " " + s_units[unit];
    }
}
