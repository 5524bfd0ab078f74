using Freeflow.Router.Configuration;

namespace Freeflow.Router.Doctor;

/// <summary>Looks at everything that a router needs of its host, with the settings that the router would have.</summary>
internal static class HostDoctor
{
    private const int AnyPriority = 1;

    /// <param name="load">Gives the settings; throws <see cref="ConfigurationException"/>.</param>
    /// <param name="routerRuns">Whether a router of that name answers.</param>
    public static IEnumerable<Finding> Examine(Func<Akka.Configuration.Config> load, bool routerRuns)
    {
        var release = Text("/proc/sys/kernel/osrelease").Trim();
        yield return KernelChecks.Version(release);
        foreach (var finding in KernelChecks.Capabilities(Text("/proc/self/status")))
            yield return finding;
        var (options, wrong) = Read(load);
        foreach (var finding in KernelChecks.Features(options is null ? AnyPriority : Math.Max(options.Engine.RealTimePriority, options.Tcp.RealTimePriority)))
            yield return finding;
        yield return KernelChecks.RealTimeShare(Text("/proc/sys/kernel/sched_rt_runtime_us"));
        foreach (var finding in LimitChecks.Of(Text("/proc/self/limits"), release))
            yield return finding;
        yield return DirectoryChecks.Devices("/dev/infiniband", "/sys/class/infiniband_verbs");
        yield return wrong ?? Finding.Ok("settings", "accepted");
        if (options is null)
            yield break;
        foreach (var finding in DirectoryChecks.Shared(options.Directory))
            yield return finding;
        yield return DirectoryChecks.Runtime(options.RuntimeDirectory);
        yield return NetworkChecks.Address(options.HostAddress);
        foreach (var finding in ClusterChecks.Of(options.Tls, options.HostNetwork, TimeProvider.System))
            yield return finding;
        foreach (var finding in SeedChecks.OfAsync(options.Seeds).GetAwaiter().GetResult())
            yield return finding;
        yield return NetworkChecks.CongestionControl(options.Engine.LinkCongestionControl, Text("/proc/sys/net/ipv4/tcp_available_congestion_control"));
        var (range, reserved) = (Text("/proc/sys/net/ipv4/ip_local_port_range"), Text("/proc/sys/net/ipv4/ip_local_reserved_ports"));
        foreach (var (name, port) in Ports(options))
        {
            yield return NetworkChecks.Port(name, new(options.HostAddress, port), routerRuns);
            if (NetworkChecks.InLocalRange(name, port, range, reserved) is { } shared)
                yield return shared;
        }
    }

    private static IEnumerable<(string Name, int Port)> Ports(RouterOptions options)
    {
        yield return ("cluster port", options.ClusterPort);
        yield return ("link port", options.LinkPort);
        if (options.Tcp.HostAddress is null)
            yield break;
        yield return ("TCP-mode port", options.Tcp.Port);
        yield return ("TCP-mode IPv6 port", options.Tcp.Ipv6Port);
    }

    private static (RouterOptions? Options, Finding? Wrong) Read(Func<Akka.Configuration.Config> load)
    {
        try
        {
            return (RouterOptionsReader.Read(load()), null);
        }
        catch (ConfigurationException problem)
        {
            return (null, Finding.Fail("settings", problem.Message, "start the router, and the doctor, with settings that are right; ports and directories were not looked at"));
        }
    }

    /// <summary>"" where the kernel does not have it.</summary>
    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
