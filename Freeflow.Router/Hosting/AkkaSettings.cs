using System.Net;
using Akka.Configuration;
using Freeflow.Router.Configuration;

namespace Freeflow.Router.Hosting;

/// <summary>What Akka must be told of the router's own settings.</summary>
internal static class AkkaSettings
{
    public const string SystemName = "freeflow";

    public static Config Of(RouterOptions options)
    {
        var own = new IPEndPoint(options.HostAddress, options.ClusterPort).ToString();
        var seeds = options.Seeds.Count > 0 ? options.Seeds : [own];
        var nodes = string.Join(", ", seeds.Select(seed => $"\"akka.tcp://{SystemName}@{seed}\""));
        var level = options.LogLevel switch
        {
            "trace" or "debug" => "DEBUG",
            "warning" => "WARNING",
            "error" => "ERROR",
            _ => "INFO",
        };
        return ConfigurationFactory.ParseString($$"""
            akka.loglevel = {{level}}
            akka.remote.dot-netty.tcp.hostname = "{{options.HostAddress}}"
            akka.remote.dot-netty.tcp.port = {{options.ClusterPort}}
            akka.cluster.seed-nodes = [{{nodes}}]
            """);
    }
}
