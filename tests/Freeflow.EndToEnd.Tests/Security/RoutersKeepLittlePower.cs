using System.Globalization;

namespace Freeflow.EndToEnd.Tests.Security;

/// <summary>/proc/PID/task/*/status of the routers: whatever thread is taken over, it has no more than this.</summary>
[Trait("Tier", "All")]
public sealed class RoutersKeepLittlePower(LabFixture lab) : IClassFixture<LabFixture>
{
    /// <summary>CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_SYS_NICE.</summary>
    private const ulong Kept = 1UL << 12 | 1UL << 19 | 1UL << 21 | 1UL << 23;

    [Theory]
    [InlineData("h1")]
    [InlineData("h2")]
    public void OnAllThreads(string host)
    {
        var threads = Directory.GetDirectories($"/proc/{lab.Hosts.Routers.PidOf(host)}/task");
        Assert.True(threads.Length > 5, $"{threads.Length} threads");
        foreach (var thread in threads)
        {
            var status = StatusOf(thread);
            if (status is null)
                continue;
            foreach (var set in (string[])["CapPrm", "CapEff", "CapBnd"])
                Assert.Equal(Kept, ulong.Parse(status[set], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            Assert.Equal(0UL, ulong.Parse(status["CapAmb"], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            Assert.Equal(0UL, ulong.Parse(status["CapInh"], NumberStyles.HexNumber, CultureInfo.InvariantCulture) & ~Kept);
            Assert.Equal("1", status["NoNewPrivs"]);
            Assert.Equal("2", status["Seccomp"]);
        }

        Assert.DoesNotContain("Privileges:", lab.RouterLog(host));
    }

    /// <summary>Null when it has ended meanwhile.</summary>
    private static Dictionary<string, string>? StatusOf(string thread)
    {
        try
        {
            return File.ReadLines(Path.Combine(thread, "status")).Select(line => line.Split(':', 2)).ToDictionary(parts => parts[0], parts => parts[1].Trim());
        }
        catch (IOException)
        {
            return null;
        }
    }
}
