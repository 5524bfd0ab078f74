using System.Net;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Verbs.Tests.Abi;

public sealed class RdmaAddressesAreRead
{
    private static readonly byte[] s_inet = [2, 0, 0x1c, 0x7b, 10, 244, 1, 11, 0, 0, 0, 0, 0, 0, 0, 0];

    [Fact]
    public void OfIpv4WithItsPort()
    {
        Assert.True(RdmaAddress.TryRead(s_inet, out var address));
        Assert.Equal(RdmaAddressFamily.Inet, address.Family);
        Assert.Equal(Gid.FromAddress(IPAddress.Parse("10.244.1.11")), address.Gid);
        Assert.Equal(7291, address.Port);
        Assert.Equal(0x01061c7bul, address.ServiceIdIn(PortSpace.Tcp));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(27)]
    public void AndWrittenAgain(byte family)
    {
        var bytes = Enumerable.Range(1, RdmaAddress.SizeOf((RdmaAddressFamily)family)).Select(i => (byte)i).ToArray();
        (bytes[0], bytes[1]) = (family, 0);
        // What has no meaning there is not kept: the rest of a sockaddr_in, the flow labels, the partition key.
        if (family == 2)
            bytes.AsSpan(8).Clear();
        else
            bytes.AsSpan(4, 4).Clear();
        if (family == 27)
            bytes[2] = bytes[3] = 0xff;
        Assert.True(RdmaAddress.TryRead(bytes, out var address));
        var again = new byte[bytes.Length];
        address.CopyTo(again);
        Assert.Equal(bytes, again);
    }

    [Fact]
    public void NotWhenTheyAreCutShort()
    {
        for (var length = 0; length < s_inet.Length; length++)
            Assert.False(RdmaAddress.TryRead(s_inet.AsSpan(0, length), out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(255)]
    public void NotOfOtherFamilies(byte family)
    {
        var bytes = new byte[RdmaAddress.MaximumSize];
        bytes[0] = family;
        Assert.False(RdmaAddress.TryRead(bytes, out _));
    }
}
