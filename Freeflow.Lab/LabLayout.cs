namespace Freeflow.Lab;

/// <summary>Names and addresses; fixed, since others script against them.</summary>
public static class LabLayout
{
    public const string RouterName = "router";
    public const string UnderlayPrefix = "192.168.50.0/24";
    public const string OverlayPrefix = "10.244.0.0/16";
    public const int OverlayMtu = 1450;
    public const string Switch = "switch";

    public static string Host(int host) => $"h{host}";

    public static string Container(int host, int container) => $"h{host}c{container}";

    public static string UnderlayAddress(int host) => $"192.168.50.{host}";

    public static string OverlayAddress(int host, int container) => $"10.244.{host}.{10 + container}";

    public static string OverlaySubnet(int host) => $"10.244.{host}.0/24";

    public static string OverlayGateway(int host) => $"10.244.{host}.1";

    /// <summary>The VXLAN device's own MAC, so that every host can be told the others' beforehand, as flannel does.</summary>
    public static string TunnelMac(int host) => $"02:ff:00:00:00:{host:x2}";
}
