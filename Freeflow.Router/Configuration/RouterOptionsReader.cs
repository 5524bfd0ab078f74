using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Akka.Configuration;
using Freeflow.Actors;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;

namespace Freeflow.Router.Configuration;

/// <summary>Turns the configuration into <see cref="RouterOptions"/>.</summary>
public static class RouterOptionsReader
{
    private const int LargestPort = 65535;

    /// <summary>Throws <see cref="ConfigurationException"/> for the first setting that is wrong.</summary>
    public static RouterOptions Read(Config config)
    {
        var setting = new SettingReader(config);
        var clusterPort = setting.Number("cluster.port", 1, LargestPort);
        var host = HostAddress(setting);
        return new RouterOptions(
            setting.Name("name"),
            setting.AbsolutePath("directory"),
            setting.AbsolutePath("runtime-directory"),
            host,
            clusterPort,
            [.. setting.List("cluster.seeds").Select(seed => Seed(seed, clusterPort))],
            setting.Number("link.port", 1, LargestPort),
            new EngineOptions
            {
                RealTimePriority = setting.Number("engine.realtime-priority", 0, 99),
                BusyPoll = setting.Switch("engine.busy-poll"),
                Core = setting.Number("engine.core", -1, 1023),
                LinkCongestionControl = setting.OneOf("link.congestion-control", CongestionControls()),
                SpinFor = TimeSpan.FromMicroseconds(setting.Number("engine.spin-microseconds", 0, 1_000_000)),
            },
            TcpOptionsReader.Read(setting, host),
            setting.Switch("tcp.privileged-containers"),
            TcpOptionsReader.Tenants(setting),
            new ShimListenerOptions
            {
                HelloTimeout = setting.Time("shim.hello-timeout"),
                MaximumConnections = setting.Number("shim.max-connections", 1, 1_000_000),
                MaximumConnectionsPerContainer = setting.Number("shim.max-connections-per-container", 1, 1_000_000),
            },
            new ConnectionLimits
            {
                QueuePairs = setting.Number("limits.queue-pairs", 1, EngineConnection.MaximumQueuePairs),
                CompletionQueues = setting.Number("limits.completion-queues", 1, EngineConnection.MaximumCompletionQueues),
                MemoryRegions = setting.Number("limits.memory-regions", 1, 1_000_000),
                MemoryWindows = setting.Number("limits.memory-windows", 1, 1_000_000),
                SharedReceiveQueues = setting.Number("limits.shared-receive-queues", 1, 1_000_000),
                ProtectionDomains = setting.Number("limits.protection-domains", 1, 1_000_000),
                CompletionChannels = setting.Number("limits.completion-channels", 1, 65536),
                CommunicationIds = setting.Number("limits.communication-ids", 1, 1_000_000),
                RegisteredBytes = setting.Bytes("limits.registered-bytes"),
                SharedBytes = setting.Bytes("limits.shared-bytes"),
                SharePages = setting.Switch("limits.share-pages"),
                Container = new ContainerLimits
                {
                    QueuePairs = setting.Number("container-limits.queue-pairs", 1, 1_000_000),
                    CompletionQueues = setting.Number("container-limits.completion-queues", 1, 1_000_000),
                    SharedReceiveQueues = setting.Number("container-limits.shared-receive-queues", 1, 1_000_000),
                    MemoryRegions = setting.Number("container-limits.memory-regions", 1, 10_000_000),
                    MemoryWindows = setting.Number("container-limits.memory-windows", 1, 10_000_000),
                    ProtectionDomains = setting.Number("container-limits.protection-domains", 1, 1_000_000),
                },
            },
            setting.Time("shim.container-linger"),
            setting.OneOf("log-level", "trace", "debug", "info", "warning", "error"));
    }

    /// <summary>What this kernel has, and "" for its own choice.</summary>
    private static string[] CongestionControls() =>
        ["", .. File.ReadAllText("/proc/sys/net/ipv4/tcp_available_congestion_control").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];

    private static IPAddress HostAddress(SettingReader setting)
    {
        var ip = setting.Text("host.ip");
        var prefix = setting.Text("host.prefix");
        if (ip.Length > 0)
            return IPAddress.TryParse(ip, out var address) ? address : throw SettingReader.Wrong("host.ip", ip, "an IP address");
        if (prefix.Length == 0)
            throw new ConfigurationException("freeflow.host.ip is not set: expected HOST_IP=address or HOST_IP_PREFIX=network/bits");
        if (!IPNetwork.TryParse(prefix, out var network))
            throw SettingReader.Wrong("host.prefix", prefix, "a network such as 192.168.50.0/24");
        var own = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(nic => nic.GetIPProperties().UnicastAddresses)
            .Select(entry => entry.Address)
            .Where(address => address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 && network.Contains(address))
            .ToList();
        return own.Count > 0 ? own[0] : throw SettingReader.Wrong("host.prefix", prefix, "a network in which this host has an address");
    }

    private static string Seed(string seed, int clusterPort)
    {
        // An IPv6 address, with its port in brackets; else address, or address:port.
        if (IPEndPoint.TryParse(seed, out var known) && known.AddressFamily == AddressFamily.InterNetworkV6)
            return new IPEndPoint(known.Address, known.Port == 0 ? clusterPort : known.Port).ToString();
        var parts = seed.Split(':');
        var valid = parts.Length is 1 or 2 && parts[0].Length > 0 && Uri.CheckHostName(parts[0]) != UriHostNameType.Unknown;
        var port = clusterPort;
        return valid && (parts.Length == 1 || (int.TryParse(parts[1], out port) && port is > 0 and <= LargestPort))
            ? $"{parts[0]}:{port}"
            : throw SettingReader.Wrong("cluster.seeds", seed, "address or address:port");
    }
}
