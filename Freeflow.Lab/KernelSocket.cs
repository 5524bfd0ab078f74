using System.Globalization;

namespace Freeflow.Lab;

/// <summary>A socket of IPv4 or IPv6, as the kernel lists it in /proc/PID/net (proc(5)).</summary>
/// <param name="LocalPort">Where it is bound.</param>
/// <param name="RemotePort">0 where it is connected to nobody.</param>
/// <param name="State">Of include/net/tcp_states.h.</param>
public sealed record KernelSocket(int LocalPort, int RemotePort, int State)
{
    public const int Established = 1;
    public const int SynSent = 2;

    /// <summary>What a UDP socket is that is connected to nobody.</summary>
    public const int Closed = 7;
    public const int Listening = 10;

    /// <param name="process">One in the network namespace.</param>
    /// <param name="protocol">tcp or udp.</param>
    internal static IEnumerable<KernelSocket> Of(string process, string protocol) =>
        from table in (string[])[protocol, protocol + "6"]
        from line in File.ReadLines($"/proc/{process}/net/{table}").Skip(1)
        let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        select new KernelSocket(PortOf(fields[1]), PortOf(fields[2]), Hexadecimal(fields[3]));

    private static int PortOf(string address) => Hexadecimal(address[(address.IndexOf(':') + 1)..]);

    private static int Hexadecimal(string word) => int.Parse(word, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
