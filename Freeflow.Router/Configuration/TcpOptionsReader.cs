using System.Net;
using Freeflow.Actors.Containers;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Router.Configuration;

/// <summary>TCP mode's part of the configuration.</summary>
internal static class TcpOptionsReader
{
    private const int LargestPort = 65535;

    public static HandoverOptions Read(SettingReader setting, IPAddress host) => new()
    {
        HostAddress = Ipv4.From(host),
        Port = setting.Number("tcp.port", 1, LargestPort),
        Ipv6Port = setting.Number("tcp.ipv6-port", 1, LargestPort),
        LocalPorts = LocalPorts(setting),
        Mode = setting.OneOf("tcp.acceleration", "learned", "always", "never") switch
        {
            "always" => AccelerationMode.Always,
            "never" => AccelerationMode.Never,
            _ => AccelerationMode.Learned,
        },
        Always = Destinations(setting, "tcp.always"),
        Never = Destinations(setting, "tcp.never"),
        RealTimePriority = setting.Number("tcp.realtime-priority", 0, 99),
        SocketsPerContainer = setting.Number("tcp.sockets-per-container", 1, 60000),
        UnannouncedTimeout = setting.Time("tcp.unannounced-timeout"),
        MaximumUnannounced = setting.Number("tcp.max-unannounced", 1, 100_000),
        SilenceTimeout = setting.Time("tcp.silence-timeout"),
        ShortBytes = setting.Bytes("tcp.learning.short-bytes"),
        ShortTime = setting.Time("tcp.learning.short-time"),
        ShortInARow = setting.Number("tcp.learning.in-a-row", 1, 10_000),
        ForgetAfter = setting.Time("tcp.learning.forget-after"),
    };

    /// <summary>Entries "TENANT = BRIDGE".</summary>
    public static TenantRules Tenants(SettingReader setting)
    {
        var rules = new Dictionary<string, Tenant>();
        foreach (var entry in setting.List("tenant-bridges"))
        {
            var parts = entry.Split('=', StringSplitOptions.TrimEntries);
            if (parts.Length != 2 || parts[0].Length is 0 or > 64 || parts[1].Length is 0 or > 15 || !parts[0].All(IsNameLetter) || !rules.TryAdd(parts[1], new Tenant(parts[0])))
                throw SettingReader.Wrong("tenant-bridges", entry, "TENANT=BRIDGE, each bridge once");
        }

        return new TenantRules(rules);
    }

    private static bool IsNameLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.';

    private static (int First, int Last) LocalPorts(SettingReader setting)
    {
        var text = setting.Text("tcp.local-ports");
        if (text.Length == 0)
            text = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Trim().Replace('\t', '-');
        var parts = text.Split('-', StringSplitOptions.TrimEntries);
        return parts.Length == 2 && int.TryParse(parts[0], out var first) && int.TryParse(parts[1], out var last) && first is > 0 and <= LargestPort && last <= LargestPort && first <= last
            ? (first, last)
            : throw SettingReader.Wrong("tcp.local-ports", text, "a range such as 32768-60999, or \"\" for the system's");
    }

    private static HashSet<Destination> Destinations(SettingReader setting, string key)
    {
        var destinations = new HashSet<Destination>();
        foreach (var entry in setting.List(key))
        {
            var parts = entry.Split(':');
            var port = 0;
            // As it is written out: "10.244" would be 10.0.0.244.
            if (parts.Length > 2 || !IPAddress.TryParse(parts[0], out var address) || Ipv4.From(address) is not { } found || found.ToString() != parts[0]
                || (parts.Length == 2 && (!int.TryParse(parts[1], out port) || port is < 1 or > LargestPort)))
                throw SettingReader.Wrong(key, entry, "an IPv4 address, or address:port");
            destinations.Add(new Destination(found, port));
        }

        return destinations;
    }
}
