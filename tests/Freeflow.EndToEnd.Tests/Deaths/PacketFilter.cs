using System.Globalization;
using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>Drops packets that leave a host on the underlay, until it is disposed.</summary>
public sealed partial class PacketFilter : IDisposable
{
    private const string Table = "ip freeflow_lost";

    private readonly LabFixture _lab;
    private readonly string _host;

    /// <param name="lab">Whose host it is.</param>
    /// <param name="host">Which.</param>
    /// <param name="hundredths">How many of a hundred packets, by chance; 1 to 100.</param>
    public PacketFilter(LabFixture lab, string host, int hundredths)
    {
        (_lab, _host) = (lab, host);
        Must($"add table {Table}; add chain {Table} out {{ type filter hook output priority 0; }}; " +
            $"add rule {Table} out oifname eth0 numgen random mod 100 <= {hundredths - 1} counter drop");
    }

    /// <summary>Packets so far.</summary>
    public int Dropped => int.Parse(Packets().Match(Must($"list table {Table}")).Groups[1].Value, CultureInfo.InvariantCulture);

    public void Dispose() => Must($"delete table {Table}");

    [GeneratedRegex(@"counter packets (\d+)")]
    private static partial Regex Packets();

    private string Must(string command)
    {
        var result = _lab.Hosts.ExecPrivileged(_host, TimeSpan.FromSeconds(20), "nft", command);
        if (result.ExitCode != 0)
            throw new LabException($"nft {command} in {_host}: {result.Everything}");
        return result.Output;
    }
}
