using System.Net;
using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>UD QPs on one engine or on two with a data link between.</summary>
public class DatagramsAreDelivered : TwoEngines
{
    private const int Header = 40;
    private static readonly Gid s_group = Gid.FromAddress(IPAddress.Parse("239.0.0.9"));

    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(true, 1024)]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 1024)]
    public void InTheReceiveThatWasPosted(bool isLocal, int bytes)
    {
        var (one, other) = Pair(isLocal);
        Random.Shared.NextBytes(one.Memory[..1024]);
        other.PostReceive(2048, 2000, id: 7);
        one.Post(1, other.QueuePair.Number, bytes, id: 5);
        Assert.Equal((5UL, WorkCompletionStatus.Success), (one.Take() is var sent ? sent.WorkRequestId : 0, sent.Status));
        var got = other.Take();
        Assert.Equal((7UL, WorkCompletionStatus.Success, (uint)(Header + bytes)), (got.WorkRequestId, got.Status, got.ByteLength));
        Assert.Equal((one.QueuePair.Number, WorkCompletionFlags.Grh), (got.SourceQp, got.Flags));
        Assert.Equal(one.Memory[..bytes].ToArray(), other.Memory.Slice(2048 + Header, bytes).ToArray());
        Assert.True(other.Memory.Slice(2048, 20).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(0, Checksum(other.Memory.Slice(2068, 20)));
        Assert.Equal(IPAddress.Parse("10.0.0.1").GetAddressBytes(), other.Memory.Slice(2080, 4).ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ByTheVectorThatAnOldLibraryWrites(bool isLocal)
    {
        var (one, other) = Pair(isLocal);
        other.PostReceive(0, 2000);
        one.Post(0, other.QueuePair.Number, 64, vector: other.Gid);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Assert.Equal(104u, other.Take().ByteLength);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ManyInARowWaitForTheirReceives(bool isLocal)
    {
        const int Count = 2000;
        var (one, other) = Pair(isLocal);
        var (posted, taken, sent, received) = (0, 0, 0, 0);
        // Spins: a pause would leave the engine idle.
        var deadline = DateTime.UtcNow + WaitFor.Scaled(TimeSpan.FromSeconds(20));
        while (received < Count)
        {
            Assert.True(DateTime.UtcNow < deadline, $"{posted} posted, {sent} sent, {received} received");
            for (; taken - received < 90; taken++)
                other.PostReceive(0, 100);
            for (; posted - sent < 100 && posted < Count; posted++)
                one.Post(1, other.QueuePair.Number, 16, id: (ulong)posted);
            while (one.TryTake(out _))
                sent++;
            while (other.TryTake(out var got))
            {
                Assert.Equal(WorkCompletionStatus.Success, got.Status);
                received++;
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NotToAnotherTenant(bool isLocal) => Lost(isLocal, tenant: 2);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NotWithAnotherQkey(bool isLocal) => Lost(isLocal, qkey: 78);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NotWithoutAReceive(bool isLocal) => Lost(isLocal, receive: 0);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NotIntoAReceiveThatIsTooShort(bool isLocal) => Lost(isLocal, receive: Header + 15);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NotBeyondThePortsMtu(bool isLocal) => Lost(isLocal, bytes: 1025);

    [Fact]
    public void NotWhenNobodyHasTheAddress()
    {
        using var one = new DatagramApplication(Here, "10.0.0.1");
        one.SetHandle(1, Gid.FromAddress(IPAddress.Parse("10.0.0.99")));
        one.Post(1, 123, 16);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
    }

    [Fact]
    public void NotFromAnAddressThatIsSomebodyElses()
    {
        var (one, other) = Pair(isLocal: false);
        There.Owners[one.Gid] = 3;
        other.PostReceive(0, 2000);
        one.Post(1, other.QueuePair.Number, 16);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Here.SynchronizeWithPeer();
        Assert.False(other.TryTake(out _));
    }

    [Theory]
    [InlineData(2u, 1u)]
    [InlineData(100_000u, 1u)]
    [InlineData(uint.MaxValue, 1u)]
    [InlineData(1u, 2u)]
    public void AHandleThatThereIsNotOrOfAnotherDomainEndsTheQp(uint handle, uint domain)
    {
        var (one, other) = Pair(isLocal: true);
        one.SetHandle(1, other.Gid, domain);
        one.Post(handle, other.QueuePair.Number, 16);
        Assert.Equal(WorkCompletionStatus.LocalQpOperationError, one.Take().Status);
        AwaitError(one.QueuePair);
    }

    [Fact]
    public void ADestroyedHandleIsNone()
    {
        var (one, other) = Pair(isLocal: true);
        one.DestroyHandle(1);
        one.Post(1, other.QueuePair.Number, 16);
        Assert.Equal(WorkCompletionStatus.LocalQpOperationError, one.Take().Status);
    }

    [Theory]
    [InlineData(WorkRequestOpcode.RdmaWrite)]
    [InlineData(WorkRequestOpcode.RdmaRead)]
    [InlineData(WorkRequestOpcode.AtomicFetchAndAdd)]
    public void OnlySendsAreDatagrams(WorkRequestOpcode opcode)
    {
        var (one, other) = Pair(isLocal: true);
        one.Post(1, other.QueuePair.Number, 16, opcode: opcode);
        Assert.Equal(WorkCompletionStatus.LocalQpOperationError, one.Take().Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ToEveryMemberOfAGroup(bool isLocal)
    {
        var (one, other) = Pair(isLocal);
        using var third = new DatagramApplication(isLocal ? Here : There, "10.0.0.3");
        using var foreign = new DatagramApplication(isLocal ? Here : There, "10.0.0.4", tenant: 9);
        one.SetHandle(2, s_group);
        DatagramApplication[] members = [one, other, third, foreign];
        foreach (var member in members)
        {
            Assert.True(member.Join(s_group));
            member.PostReceive(4096, 2000, id: 1);
            member.PostReceive(8192, 2000, id: 2);
        }

        There.SynchronizeWithPeer();
        one.Post(2, DatagramRoute.MulticastQpn, 24, id: 9);
        Assert.Equal([1UL, 9UL], new[] { one.Take().WorkRequestId, one.Take().WorkRequestId }.Order());
        Assert.Equal(64u, other.Take().ByteLength);
        Assert.Equal(64u, third.Take().ByteLength);
        third.Leave(s_group);
        one.Leave(s_group);
        There.SynchronizeWithPeer();
        one.Post(2, DatagramRoute.MulticastQpn, 25, id: 10);
        Assert.Equal(10UL, one.Take().WorkRequestId);
        Assert.Equal(65u, other.Take().ByteLength);
        Assert.False(third.TryTake(out _) || foreign.TryTake(out _));
    }

    [Fact]
    public async Task ToAGroupThatWasJoinedBeforeTheLinkCame()
    {
        using var one = new DatagramApplication(Here, "10.0.0.1");
        using var other = new DatagramApplication(There, "10.0.0.2");
        Assert.True(other.Join(s_group));
        await EngineSite.LinkAsync(Here, There, Encrypts);
        one.SetHandle(1, s_group);
        // The engine sends a new link its groups at the end of a round. The first ping may precede them; the second follows them.
        There.SynchronizeWithPeer();
        There.SynchronizeWithPeer();
        other.PostReceive(0, 2000);
        one.Post(1, DatagramRoute.MulticastQpn, 8);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Assert.Equal(Header + 8u, other.Take().ByteLength);
    }

    private void Lost(bool isLocal, ulong tenant = 1, uint qkey = 77, int receive = 2000, int bytes = 16)
    {
        var (one, other) = Pair(isLocal, tenant);
        if (receive > 0)
            other.PostReceive(0, receive, id: 1);
        one.Post(1, other.QueuePair.Number, bytes, qkey: qkey);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Here.SynchronizeWithPeer();
        if (tenant != 1)
        {
            Assert.False(other.TryTake(out _));
            return;
        }

        // What was dropped has cost no receive.
        if (receive == 0)
            other.PostReceive(0, 2000, id: 1);
        one.Post(1, other.QueuePair.Number, 15);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        var got = other.Take();
        Assert.Equal((1UL, 55u, WorkCompletionStatus.Success), (got.WorkRequestId, got.ByteLength, got.Status));
    }

    private (DatagramApplication One, DatagramApplication Other) Pair(bool isLocal, ulong tenant = 1)
    {
        var one = new DatagramApplication(Here, "10.0.0.1");
        var other = new DatagramApplication(isLocal ? Here : There, "10.0.0.2", tenant);
        if (!isLocal)
        {
            Here.Owners[other.Gid] = 0;
            There.Owners[one.Gid] = 0;
        }

        one.SetHandle(1, other.Gid);
        return (one, other);
    }

    private static int Checksum(ReadOnlySpan<byte> header)
    {
        var sum = 0;
        for (var i = 0; i < header.Length; i += 2)
            sum += (header[i] << 8) + header[i + 1];
        sum = (sum & 0xffff) + (sum >> 16);
        return 0xffff - ((sum & 0xffff) + (sum >> 16));
    }
}
