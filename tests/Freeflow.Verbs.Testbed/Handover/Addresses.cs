using System.Net;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>Addresses for tests.</summary>
public static class Addresses
{
    private static int s_used;

    public static Ipv4 Of(string text) => Ipv4.From(IPAddress.Parse(text)) ?? throw new ArgumentException($"{text} is no IPv4 address");

    /// <summary>An address of the loopback that no other host of a test has, nor one of another process that runs these tests.</summary>
    public static Ipv4 NextHost()
    {
        var number = Interlocked.Increment(ref s_used);
        return Of($"127.{64 + (Environment.ProcessId % 128)}.{number / 250}.{1 + (number % 250)}");
    }
}
