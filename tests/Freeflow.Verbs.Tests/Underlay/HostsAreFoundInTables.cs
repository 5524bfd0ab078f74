using System.Buffers.Binary;
using System.Net;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Underlay;

namespace Freeflow.Verbs.Tests.Underlay;

public sealed class HostsAreFoundInTables
{
    private const ushort Reachable = 0x02, Permanent = 0x80, Incomplete = 0x01, Failed = 0x20;
    private const ushort NeighbourDestination = 1, LinkAddress = 2, Gateway = 5, Multipath = 9, Via = 18;

    [Fact]
    public void AmongNeighboursAndWhereTunnelsLead()
    {
        var found = Read(
            Neighbour(Permanent, (LinkAddress, [2, 0, 0, 0, 0, 1]), (NeighbourDestination, [192, 168, 50, 2])),
            Neighbour(Reachable, (NeighbourDestination, [192, 168, 50, 3])),
            Neighbour(Reachable, (NeighbourDestination, [192, 168, 50, 3])),
            Neighbour(Reachable, (NeighbourDestination, [10, 0, 0, 1])),
            Neighbour(Incomplete, (NeighbourDestination, [192, 168, 50, 4])),
            Neighbour(Failed, (NeighbourDestination, [192, 168, 50, 5])),
            Neighbour(Reachable, (LinkAddress, [192, 168, 50, 6])));
        Assert.Equal(["192.168.50.2", "192.168.50.3"], found);
    }

    [Fact]
    public void WhereRoutesLead()
    {
        var hops = (byte[])[.. Hop((Gateway, [192, 168, 50, 7])), .. Hop((Via, [2, 0, 192, 168, 50, 8]))];
        var found = Read(
            Route(1, (Gateway, [192, 168, 50, 2])),
            Route(1, (Multipath, hops)),
            Route(1, (Via, [2, 0, 192, 168, 50, 9])),
            Route(7, (Gateway, [192, 168, 50, 10])),
            Route(1, (Gateway, [172, 16, 0, 1])));
        Assert.Equal(["192.168.50.2", "192.168.50.7", "192.168.50.8", "192.168.50.9"], found);
    }

    [Theory]
    [InlineData("192.168.50.0/24", "192.168.50.0", false)]
    [InlineData("192.168.50.0/24", "192.168.50.255", false)]
    [InlineData("192.168.50.0/24", "192.168.51.1", false)]
    [InlineData("192.168.48.0/22", "192.168.50.255", true)]
    [InlineData("192.168.50.0/31", "192.168.50.0", true)]
    [InlineData("192.168.50.7/32", "192.168.50.7", true)]
    [InlineData("0.0.0.0/0", "255.255.255.255", false)]
    [InlineData("fd00::/64", "fd00::", false)]
    [InlineData("fd00::/64", "fd00::1", true)]
    [InlineData("fd00::/64", "192.168.50.1", false)]
    public void OnlyThoseThatCanBeHostsOfTheNetwork(string prefix, string address, bool isOne)
    {
        var reader = new HostTableReader(IPNetwork.Parse(prefix));
        reader.Take(RouteNetlink.NewNeighbour, Neighbour(Reachable, (NeighbourDestination, IPAddress.Parse(address).GetAddressBytes())).Body);
        Assert.Equal(isOne ? [address] : [], reader.Hosts.Select(host => host.ToString()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void WhateverTheMessagesAre(int seed)
    {
        var random = new Random(seed);
        var reader = new HostTableReader(IPNetwork.Parse("0.0.0.0/0"));
        (ushort Type, byte[] Body)[] right =
        [
            Neighbour(Reachable, (NeighbourDestination, [192, 168, 50, 2])), Route(1, (Multipath, [.. Hop((Gateway, [192, 168, 50, 7])), .. Hop((Via, [2, 0, 192, 168, 50, 8]))])),
        ];
        for (var round = 0; round < 20_000; round++)
        {
            var (type, body) = right[random.Next(right.Length)];
            body = body[..random.Next(body.Length + 1)];
            for (var change = random.Next(6); change > 0 && body.Length > 0; change--)
                body[random.Next(body.Length)] = (byte)random.Next(256);
            reader.Take(type, body);
        }
    }

    /// <summary>The kernel's own lists, whatever is in them here.</summary>
    [Fact]
    public void TheKernelTells() => Assert.Empty(HostTables.HostsIn(IPNetwork.Parse("203.0.113.0/24")));

    private static IEnumerable<string> Read(params (ushort Type, byte[] Body)[] messages)
    {
        var reader = new HostTableReader(IPNetwork.Parse("192.168.50.0/24"));
        foreach (var (type, body) in messages)
            reader.Take(type, body);
        return reader.Hosts.Select(host => host.ToString());
    }

    private static (ushort Type, byte[] Body) Neighbour(ushort state, params (ushort, byte[])[] attributes)
    {
        var head = new byte[12];
        BinaryPrimitives.WriteUInt16LittleEndian(head.AsSpan(8), state);
        return (RouteNetlink.NewNeighbour, [.. head, .. attributes.SelectMany(Attribute)]);
    }

    private static (ushort Type, byte[] Body) Route(byte type, params (ushort, byte[])[] attributes)
    {
        var head = new byte[12];
        head[7] = type;
        return (RouteNetlink.NewRoute, [.. head, .. attributes.SelectMany(Attribute)]);
    }

    private static byte[] Hop(params (ushort, byte[])[] attributes)
    {
        byte[] rest = [.. attributes.SelectMany(Attribute)];
        var head = new byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(head, (ushort)(8 + rest.Length));
        return [.. head, .. rest];
    }

    private static byte[] Attribute((ushort Type, byte[] Value) attribute)
    {
        var whole = new byte[4 + (attribute.Value.Length + 3 & ~3)];
        BinaryPrimitives.WriteUInt16LittleEndian(whole, (ushort)(4 + attribute.Value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(whole.AsSpan(2), attribute.Type);
        attribute.Value.CopyTo(whole, 4);
        return whole;
    }
}
