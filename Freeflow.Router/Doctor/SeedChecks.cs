using Freeflow.Actors.Seeds;
using Freeflow.Router.Configuration;

namespace Freeflow.Router.Doctor;

/// <summary>Where the router would look for its cluster, by the same methods as it does.</summary>
public static class SeedChecks
{
    private const string Subject = "seeds";

    public static async Task<IReadOnlyList<Finding>> OfAsync(SeedOptions seeds)
    {
        var methods = seeds.Settings.By.Select(name => (Name: name, Method: seeds.MethodOf(name))).ToList();
        var order = "asked in this order: " + string.Join(", ", methods.Select(way => way.Method is { } method ? $"{way.Name} ({method.Source})" : $"{way.Name} (by the router only)"));
        var finder = new SeedFinder([.. methods.Where(way => way.Method is not null).Select(way => (way.Name, (Akka.Discovery.ServiceDiscovery)way.Method!))], seeds.Settings.Own.Port);
        var found = await finder.FindAsync();
        List<Finding> findings =
        [
            .. found.Problems.Select(problem => Finding.Warn(Subject, problem, "what else there is counts meanwhile; the router looks again by itself")),
            found.At.Count == 0
                ? Finding.Warn(Subject, $"none are found; {order}", "the router waits until there are some: see freeflow.cluster in hocon/reference.conf")
                : Finding.Ok(Subject, $"{found}{(found.At.Contains(seeds.Settings.Own) ? "" : ", not this router, which therefore waits for them")}; {order}"),
        ];
        return findings;
    }
}
