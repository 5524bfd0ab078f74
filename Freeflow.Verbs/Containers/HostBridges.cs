using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Containers;

/// <summary>The bridges of this host's network namespace, and what is attached to them.</summary>
public static class HostBridges
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(1);

    /// <summary>Names of bridges by the index of each interface that is attached to one.</summary>
    public static IReadOnlyDictionary<int, string> ByMember()
    {
        const ushort done = 3;
        using var netlink = RouteNetlink.Open();
        netlink.Ask(RouteNetlink.GetLink);
        var names = new Dictionary<int, string>();
        var masters = new Dictionary<int, int>();
        var buffer = new byte[64 * 1024];
        for (var since = Stopwatch.StartNew(); since.Elapsed < s_bound;)
        {
            var got = netlink.Receive(buffer);
            if (got <= 0)
            {
                Thread.Sleep(1);
                continue;
            }

            ReadOnlySpan<byte> datagram = buffer.AsSpan(0, got);
            while (RouteNetlink.TryNext(ref datagram, out var type, out var body))
            {
                if (type == done)
                    return masters.Where(entry => names.ContainsKey(entry.Value)).ToDictionary(entry => entry.Key, entry => names[entry.Value]);
                if (type == RouteNetlink.NewLink && body.Length >= 16)
                    Read(body, names, masters);
            }
        }

        throw new TimeoutException($"the kernel did not list the host's interfaces within {s_bound.TotalSeconds} s");
    }

    private static void Read(ReadOnlySpan<byte> body, Dictionary<int, string> names, Dictionary<int, int> masters)
    {
        const ushort interfaceName = 3, master = 10;
        var index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        var attributes = body[16..];
        while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
        {
            if (type == interfaceName)
                names[index] = Encoding.UTF8.GetString(value.TrimEnd((byte)0));
            else if (type == master && value.Length == 4)
                masters[index] = BinaryPrimitives.ReadInt32LittleEndian(value);
        }
    }
}
