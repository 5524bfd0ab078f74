using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Akka.Configuration;
using Freeflow.Actors;
using Freeflow.Actors.ClusterTransport;
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
        var network = HostNetwork(setting);
        var host = HostAddress(setting, network);
        var seeds = SeedOptionsReader.Read(setting, config, new IPEndPoint(host, clusterPort), network);
        var options = new RouterOptions(
            setting.Name("name"),
            setting.AbsolutePath("directory"),
            setting.AbsolutePath("runtime-directory"),
            host,
            network,
            Tls(setting),
            clusterPort,
            seeds,
            setting.Number("link.port", 1, LargestPort),
            setting.Switch("link.encrypt"),
            AdminOptionsReader.Read(setting),
            new EngineOptions
            {
                RealTimePriority = setting.Number("engine.realtime-priority", 0, 99),
                BusyPoll = setting.Switch("engine.busy-poll"),
                Core = setting.Number("engine.core", -1, 1023),
                LinkCongestionControl = setting.OneOf("link.congestion-control", CongestionControls()),
                MeasuresWaits = setting.Switch("engine.measure-waits"),
                SpinFor = TimeSpan.FromMicroseconds(setting.Number("engine.spin-microseconds", 0, 1_000_000)),
            },
            TcpOptionsReader.Read(setting, host),
            setting.Switch("tcp.privileged-containers"),
            TcpOptionsReader.Tenants(setting),
            setting.AbsolutePath("policy.file"),
            setting.AbsolutePath("policy.labels"),
            setting.Time("policy.look-every"),
            new ShimListenerOptions
            {
                HelloTimeout = setting.Time("shim.hello-timeout"),
                MaximumConnections = setting.Number("shim.max-connections", 1, 1_000_000),
                MaximumConnectionsPerContainer = setting.Number("shim.max-connections-per-container", 1, 1_000_000),
            },
            setting.Text("shim.install-to").Length == 0 ? null : setting.AbsolutePath("shim.install-to"),
            new ConnectionLimits
            {
                QueuePairs = setting.Number("limits.queue-pairs", 1, EngineConnection.MaximumQueuePairs),
                CompletionQueues = setting.Number("limits.completion-queues", 1, EngineConnection.MaximumCompletionQueues),
                MemoryRegions = setting.Number("limits.memory-regions", 1, 1_000_000),
                MemoryWindows = setting.Number("limits.memory-windows", 1, 1_000_000),
                SharedReceiveQueues = setting.Number("limits.shared-receive-queues", 1, 1_000_000),
                ProtectionDomains = setting.Number("limits.protection-domains", 1, 1_000_000),
                AddressHandles = setting.Number("limits.address-handles", 1, 1_000_000),
                MulticastAttachments = setting.Number("limits.multicast-attachments", 1, 1_000_000),
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
                    AddressHandles = setting.Number("container-limits.address-handles", 1, 10_000_000),
                    MulticastAttachments = setting.Number("container-limits.multicast-attachments", 1, 10_000_000),
                    CompletionChannels = setting.Number("container-limits.completion-channels", 1, 1_000_000),
                    RegisteredBytes = setting.Bytes("container-limits.registered-bytes"),
                    QueueBytes = setting.Bytes("container-limits.queue-bytes"),
                    SharedBytes = setting.Bytes("container-limits.shared-bytes"),
                },
            },
            setting.Time("shim.container-linger"),
            setting.OneOf("log-level", "trace", "debug", "info", "warning", "error"),
            setting.OneOf("log-format", "text", "json"));
        SeedOptionsReader.RequireSome(setting, seeds, host);
        return options;
    }

    /// <summary>What this kernel has, and "" for its own choice.</summary>
    private static string[] CongestionControls() =>
        ["", .. File.ReadAllText("/proc/sys/net/ipv4/tcp_available_congestion_control").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];

    private static IPAddress HostAddress(SettingReader setting, IPNetwork? prefix)
    {
        var ip = setting.Text("host.ip");
        if (ip.Length > 0)
        {
            var given = IPAddress.TryParse(ip, out var address) ? address : throw SettingReader.Wrong("host.ip", ip, "an IP address");
            return prefix is null || prefix.Value.Contains(given)
                ? given
                : throw SettingReader.Wrong("host.prefix", $"{prefix}", $"a network that freeflow.host.ip, {given}, is in: routers are looked for, and taken, in that network only");
        }

        if (prefix is not { } network)
            throw new ConfigurationException("freeflow.host.ip is not set: expected HOST_IP=address or HOST_IP_PREFIX=network/bits");
        var own = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(nic => nic.GetIPProperties().UnicastAddresses)
            .Select(entry => entry.Address)
            .Where(address => address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 && network.Contains(address))
            .ToList();
        return own.Count > 0 ? own[0] : throw SettingReader.Wrong("host.prefix", $"{network}", "a network in which this host has an address (HOST_IP_PREFIX)");
    }

    /// <summary>Whether the host's address was found by it or not; null when it is not given.</summary>
    private static IPNetwork? HostNetwork(SettingReader setting) =>
        setting.Text("host.prefix") is not { Length: > 0 } prefix ? null
        : IPNetwork.TryParse(prefix, out var network) ? network : throw SettingReader.Wrong("host.prefix", prefix, "a network such as 192.168.50.0/24 (HOST_IP_PREFIX)");

    /// <summary>Null when none is given. Whether the files are there and what is in them is looked at when the router starts.</summary>
    private static CertificateFiles? Tls(SettingReader setting)
    {
        string[] keys = ["tls.ca", "tls.certificate", "tls.key"];
        var missing = keys.Where(key => setting.Text(key).Length == 0).ToList();
        if (missing.Count == keys.Length)
            return null;
        if (missing.Count > 0)
            throw SettingReader.Wrong(missing[0], "", "a file, since others of freeflow.tls are set; all three, or none");
        return new CertificateFiles(setting.AbsolutePath(keys[0]), setting.AbsolutePath(keys[1]), setting.AbsolutePath(keys[2]));
    }
}
