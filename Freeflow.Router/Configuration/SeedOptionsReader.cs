using System.Net;
using Akka.Configuration;
using Freeflow.Actors.Seeds;

namespace Freeflow.Router.Configuration;

/// <summary>Reads freeflow.cluster: how the cluster is found.</summary>
internal static class SeedOptionsReader
{
    /// <param name="setting">The settings.</param>
    /// <param name="config">The same with Akka's, where an operator may have methods of discovery of his own.</param>
    /// <param name="own">Where this router is.</param>
    /// <param name="network">freeflow.host.prefix; null: it is not set.</param>
    public static SeedOptions Read(SettingReader setting, Config config, IPEndPoint own, IPNetwork? network)
    {
        var listed = setting.List("cluster.seeds").Select(seed => Entry("cluster.seeds", seed, own.Port)).ToList();
        var file = setting.Text("cluster.seed-file").Length == 0 ? null : setting.AbsolutePath("cluster.seed-file");
        var named = setting.Text("cluster.seed-name") is { Length: > 0 } name ? Entry("cluster.seed-name", name, own.Port) : null;
        var by = setting.List("cluster.seeds-by");
        foreach (var method in by)
        {
            if (!SeedMethods.Own.ContainsKey(method) && !config.HasPath($"akka.discovery.{method}.class"))
                throw SettingReader.Wrong("cluster.seeds-by", method, $"{string.Join(", ", SeedMethods.Own.Keys)}, or a method of akka.discovery's");
        }

        bool IsSet(string method) => method switch
        {
            SeedMethod.List => listed.Count > 0,
            SeedMethod.File => file is not null,
            SeedMethod.Dns => named is not null,
            SeedMethod.Tables => network is not null,
            _ => true,
        };
        var set = by.Where(IsSet).Distinct().ToList();
        var settings = new SeedSettings(own, set, setting.Time("cluster.form-after"), setting.Time("cluster.missed-after"), setting.Time("cluster.look-for-seeds-every"));
        return new SeedOptions(settings, listed, file, named, set.Contains(SeedMethod.Tables) ? network : null);
    }

    /// <summary>Throws <see cref="ConfigurationException"/> where a router would have nowhere to look. Said last: it may follow from another setting.</summary>
    public static void RequireSome(SettingReader setting, SeedOptions seeds, IPAddress host)
    {
        if (seeds.Settings.By.Count > 0)
            return;
        throw setting.List("cluster.seeds-by").Contains(SeedMethod.Tables)
            ? new ConfigurationException(
                "freeflow.host.prefix is not set: expected HOST_IP_PREFIX=network/bits, in which other routers are looked for where no seeds are given; "
                + $"for a cluster of its own, FREEFLOW_SEEDS={host}")
            : SettingReader.Wrong("cluster.seeds-by", string.Join(",", setting.List("cluster.seeds-by")), "a way that has what it goes by: see freeflow.cluster");
    }

    private static SeedEntry Entry(string key, string text, int port) => SeedEntry.Parse(text, port) ?? throw SettingReader.Wrong(key, text, SeedEntry.Accepted);
}
