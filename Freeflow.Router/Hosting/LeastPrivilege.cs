using Freeflow.Router.Configuration;
using Freeflow.Router.Doctor;
using Freeflow.Verbs.Interop;

namespace Freeflow.Router.Hosting;

/// <summary>What was kept that should not be; null: nothing.</summary>
internal sealed record PrivilegesKept(string? Problem);

/// <summary>
/// What a router keeps of root's power; docs/security.md says why each. A thread gives up its own only, and the runtime has several before any
/// of our code runs: so the program begins anew in the same process, with less.
/// </summary>
internal static class LeastPrivilege
{
    /// <summary>Set for the second beginning: what could not be dropped then can't be dropped.</summary>
    private const string Begun = "FREEFLOW_PRIVILEGES_DROPPED";

    private const int LastPrivilegedPort = 1023;

    /// <summary>Throws <see cref="IOException"/> where one is missing without which no container can be served: then nobody is to wait for it.</summary>
    public static void MustSuffice()
    {
        if (KernelChecks.Capabilities(File.ReadAllText("/proc/self/status")).FirstOrDefault(finding => finding.Verdict == Verdict.Fail) is { } missing)
            throw new IOException($"{missing.Subject} is missing: {missing.ToDo}");
    }

    /// <summary>Drops all other capabilities; does not return when the program begins anew. Null, or what could not be done.</summary>
    public static string? Drop(RouterOptions options)
    {
        var wanted = Wanted(options);
        if (Capabilities.NoNewPrivileges && (Capabilities.Permitted & ~wanted) == 0 && (Capabilities.Bounding & ~wanted) == 0)
            return null;
        if (Environment.GetEnvironmentVariable(Begun) is { Length: > 0 })
        {
            var kept = Capabilities.Permitted & ~wanted;
            return kept == 0 ? null : $"the router keeps more capabilities than it needs ({kept:x}): dropping them takes CAP_SETPCAP at its start";
        }

        Capabilities.Keep(wanted);
        var refused = ProcessImage.BeginAnew(Begun, "yes");
        // This thread has given them up already, and others have not.
        throw new IOException($"it can't begin anew with fewer capabilities (errno {refused})");
    }

    private static ulong Wanted(RouterOptions options)
    {
        List<int> ports = [options.ClusterPort, options.LinkPort, options.Tcp.Port, options.Tcp.Ipv6Port, options.Admin?.At.Port ?? int.MaxValue];
        List<int> kept = [Capabilities.NetAdmin, Capabilities.SysAdmin, Capabilities.SysPtrace, Capabilities.SysNice];
        if (ports.Exists(port => port <= LastPrivilegedPort))
            kept.Add(Capabilities.NetBindService);
        return kept.Aggregate(0UL, (all, number) => all | 1UL << number);
    }
}
