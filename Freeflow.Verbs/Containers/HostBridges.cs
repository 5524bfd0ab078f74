using System.Buffers.Binary;
using System.Text;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Containers;

/// <summary>The bridges of this host's network namespace, and which containers are attached to them.</summary>
public static class HostBridges
{
    /// <summary>
    /// Names of the bridges that a container is attached to, by the index of its interface. All of it comes from this host's side: a
    /// container may make pairs of interfaces with whatever index it likes, but none whose end is here.
    /// </summary>
    public static IReadOnlyDictionary<int, string> Of(NetworkNamespace container)
    {
        using var netlink = RouteNetlink.Open();
        var names = new Dictionary<int, string>();
        var ports = new List<Port>();
        netlink.Ask(RouteNetlink.GetLink);
        netlink.ReadList((type, body) =>
        {
            if (type == RouteNetlink.NewLink && body.Length >= 16)
                ReadLink(body, names, ports);
        });

        // The list above has given a number to each namespace that a port's other end is in.
        var number = NoNamespace;
        netlink.AskNamespaceId(container.Handle);
        netlink.Read((type, body) =>
        {
            const ushort error = 2;
            if (type == RouteNetlink.NewNamespaceId && body.Length >= 4)
                number = ReadNamespaceId(body);
            return type is RouteNetlink.NewNamespaceId or error;
        });
        var found = new Dictionary<int, string>();
        foreach (var port in ports)
        {
            if (number != NoNamespace && port.Namespace == number && names.TryGetValue(port.Bridge, out var bridge))
                found[port.OtherEnd] = bridge;
        }

        return found;
    }

    private const int NoNamespace = -1; // NETNSA_NSID_NOT_ASSIGNED

    private static void ReadLink(ReadOnlySpan<byte> body, Dictionary<int, string> names, List<Port> ports)
    {
        const ushort interfaceName = 3, link = 5, master = 10, linkNamespace = 37;
        var index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        var port = new Port(0, 0, NoNamespace);
        var attributes = body[16..];
        while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
        {
            if (type == interfaceName)
                names[index] = Encoding.UTF8.GetString(value.TrimEnd((byte)0));
            else if (type == link && value.Length == 4)
                port = port with { OtherEnd = BinaryPrimitives.ReadInt32LittleEndian(value) };
            else if (type == master && value.Length == 4)
                port = port with { Bridge = BinaryPrimitives.ReadInt32LittleEndian(value) };
            else if (type == linkNamespace && value.Length == 4)
                port = port with { Namespace = BinaryPrimitives.ReadInt32LittleEndian(value) };
        }

        if (port is { Bridge: not 0, OtherEnd: not 0 })
            ports.Add(port);
    }

    private static int ReadNamespaceId(ReadOnlySpan<byte> body)
    {
        const ushort namespaceId = 1;
        var attributes = body[4..];
        while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
        {
            if (type == namespaceId && value.Length == 4)
                return BinaryPrimitives.ReadInt32LittleEndian(value);
        }

        return NoNamespace;
    }

    /// <summary>An interface of this host that is attached to a bridge, and where its other end is.</summary>
    private readonly record struct Port(int Bridge, int OtherEnd, int Namespace);
}
