using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>Memory windows in the engine: what a key opens, and what ends it.</summary>
public sealed class WindowsOpenAndClose : TwoEngines
{
    private const uint FirstKey = 0x00beef00;
    private const uint BoundKey = 0x00beef01;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AWindowOpensItsPartOnly(bool isLocal)
    {
        using var pair = new Pair(this, isLocal);
        Assert.Equal(WorkCompletionStatus.Success, pair.Bind(1000, 500, AccessFlags.RemoteRead | AccessFlags.RemoteWrite));
        Assert.Equal(WorkCompletionStatus.Success, pair.Write(1000, 500, BoundKey));
        Assert.Equal(WorkCompletionStatus.RemoteAccessError, pair.Write(1001, 500, BoundKey));
    }

    [Theory]
    [InlineData(true, AccessFlags.RemoteRead, BoundKey)]
    [InlineData(false, AccessFlags.RemoteRead, BoundKey)]
    [InlineData(true, AccessFlags.RemoteWrite, FirstKey)]
    [InlineData(false, AccessFlags.RemoteWrite, FirstKey)]
    public void AWindowGivesItsRightsByItsLatestKeyOnly(bool isLocal, AccessFlags access, uint key)
    {
        using var pair = new Pair(this, isLocal);
        Assert.Equal(WorkCompletionStatus.Success, pair.Bind(1000, 500, access));
        Assert.Equal(WorkCompletionStatus.RemoteAccessError, pair.Write(1000, 500, key));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AMessageInvalidatesIt(bool isLocal)
    {
        using var pair = new Pair(this, isLocal);
        pair.Bind(0, 500, AccessFlags.RemoteWrite);
        pair.Owner.PostReceive(0, 64);
        pair.Peer.Post(WorkRequestOpcode.SendWithInvalidate, 0, 8, pair.Owner, immediate: BoundKey);
        Assert.Equal(WorkCompletionStatus.Success, pair.Peer.Take().Status);
        var received = pair.Owner.Take();
        Assert.Equal((WorkCompletionStatus.Success, WorkCompletionFlags.Grh | WorkCompletionFlags.WithInvalidate, BoundKey), (received.Status, received.Flags, received.ImmediateOrKey));
        Assert.Equal(WorkCompletionStatus.RemoteAccessError, pair.Write(0, 8, BoundKey));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AMessageThatInvalidatesARegionFailsItsReceiverOnly(bool isLocal)
    {
        using var pair = new Pair(this, isLocal);
        pair.Owner.PostReceive(0, 64);
        pair.Peer.Post(WorkRequestOpcode.SendWithInvalidate, 0, 8, pair.Owner, immediate: pair.Owner.Key);
        Assert.Equal(WorkCompletionStatus.Success, pair.Peer.Take().Status);
        Assert.Equal(WorkCompletionStatus.RemoteInvalidRequestError, pair.Owner.Take().Status);
        AwaitError(pair.Owner.QueuePair);
    }

    [Fact]
    public void ARegionStaysWhileAWindowIsBoundToIt()
    {
        using var pair = new Pair(this, isLocal: true);
        pair.Bind(0, 500, AccessFlags.RemoteWrite);
        Assert.False(EngineApplication.Ask<bool>(done => Here.Engine.Remove(pair.Owner.Region, done)));
        Assert.True(EngineApplication.Ask<bool>(done => Here.Engine.Remove(pair.Window, () => done(true))));
        Assert.True(EngineApplication.Ask<bool>(done => Here.Engine.Remove(pair.Owner.Region, done)));
    }

    [Fact]
    public void AnothersWindowOrRegionIsNotBound()
    {
        using var pair = new Pair(this, isLocal: true);
        using var stranger = new EngineApplication(Here, "10.0.0.3", protectionDomain: 7);
        Assert.Equal(WorkCompletionStatus.MemoryWindowBindError, pair.Bind(0, 8, AccessFlags.RemoteRead, stranger.Key, stranger.Address));
        using var other = new Pair(this, isLocal: true, protectionDomain: 7, firstKey: FirstKey + 0x100);
        Assert.Equal(WorkCompletionStatus.MemoryWindowBindError, other.Bind(0, 8, AccessFlags.RemoteRead, windowKey: FirstKey));
    }

    private sealed class Pair : IDisposable
    {
        private readonly uint _key;

        public Pair(WindowsOpenAndClose test, bool isLocal, uint protectionDomain = 1, uint firstKey = FirstKey)
        {
            _key = firstKey;
            Peer = new EngineApplication(test.Here, "10.0.0.1");
            Owner = new EngineApplication(isLocal ? test.Here : test.There, "10.0.0.2", protectionDomain: protectionDomain);
            Window = new EngineMemoryWindow(Owner.Connection, firstKey, protectionDomain, MemoryWindowType.Type2);
            (isLocal ? test.Here : test.There).Engine.Add(Window);
            EngineApplication.Connect(Peer, Owner);
        }

        public EngineApplication Peer { get; }

        public EngineApplication Owner { get; }

        public EngineMemoryWindow Window { get; }

        public WorkCompletionStatus Bind(
            int offset, int length, AccessFlags access, uint? regionKey = null, ulong? address = null, uint? windowKey = null)
        {
            Owner.Post(
                new SendWqeHead
                {
                    Opcode = WorkRequestOpcode.BindMw,
                    Flags = SendFlags.Signaled,
                    RemoteAddress = (address ?? Owner.Address) + (ulong)offset,
                    WindowLength = (ulong)length,
                    RegionKey = regionKey ?? Owner.Key,
                    WindowKey = windowKey ?? _key,
                    NewWindowKey = BoundKey,
                    WindowAccess = access,
                },
                []);
            Owner.Ring();
            return Owner.Take().Status;
        }

        public WorkCompletionStatus Write(int offset, int length, uint key)
        {
            var entry = new ScatterGatherEntry { Address = Peer.Address, Length = (uint)length, LocalKey = Peer.Key };
            var head = new SendWqeHead
            {
                Opcode = WorkRequestOpcode.RdmaWrite,
                Flags = SendFlags.Signaled,
                RemoteAddress = Owner.Address + (ulong)offset,
                RdmaRemoteKey = key,
                Length = (uint)length,
                SgeCount = 1,
            };
            Peer.Post(head, [entry]);
            Peer.Ring();
            return Peer.Take().Status;
        }

        public void Dispose()
        {
            Peer.Dispose();
            Owner.Dispose();
        }
    }
}
