using System.Net.Sockets;
using Akka.Configuration;
using Freeflow.Actors.Membership;
using Freeflow.Actors.Seeds;
using Freeflow.Router.Configuration;

namespace Freeflow.Router.Hosting;

/// <summary>What Akka must be told of the router's own settings.</summary>
internal static class AkkaSettings
{
    public const string SystemName = "freeflow";

    public static Config Of(RouterOptions options)
    {
        var level = options.LogLevel switch
        {
            "trace" or "debug" => "DEBUG",
            "warning" => "WARNING",
            "error" => "ERROR",
            _ => "INFO",
        };
        return ConfigurationFactory.ParseString($$"""
            akka.loglevel = {{level}}
            akka.remote.router-tcp.hostname = "{{options.HostAddress}}"
            akka.remote.router-tcp.port = {{options.ClusterPort}}
            # The router joins by itself: Freeflow.Actors/Seeds.
            akka.cluster.seed-nodes = []
            akka.cluster.roles = [{{WireVersion.Role}}]
            """).WithFallback(Discovery(options.Seeds));
    }

    /// <summary>What the methods of discovery that are this program's go by.</summary>
    private static Config Discovery(SeedOptions seeds)
    {
        var own = seeds.Settings.Own;
        var all = $"ipv6 = {(own.AddressFamily == AddressFamily.InterNetworkV6 ? "true" : "false")}, port = {own.Port}";
        var config = Config.Empty;
        foreach (var name in seeds.Settings.By.Where(SeedMethods.Own.ContainsKey))
        {
            var type = SeedMethods.Own[name];
            var what = name switch
            {
                SeedMethod.List => $"entries = [{string.Join(", ", seeds.Listed.Select(entry => Quote($"{entry}")))}]",
                SeedMethod.File => $"path = {Quote(seeds.File!)}",
                SeedMethod.Dns => $"name = {Quote(seeds.Named!.Host)}, port = {seeds.Named.Port}",
                _ => $"prefix = {Quote($"{seeds.Network}")}, own = {Quote($"{own.Address}")}",
            };
            config = ConfigurationFactory.ParseString($$"""akka.discovery.{{name}} { class = "{{type.FullName}}, {{type.Assembly.GetName().Name}}", {{all}}, {{what}} }""").WithFallback(config);
        }

        return config;
    }

    private static string Quote(string value) => "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";
}
