using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Testbed;

/// <summary>
/// An application with one QP, one CQ and one region, which does by hand what libibverbs does: writes WQEs into the rings,
/// rings the doorbell, takes completions.
/// </summary>
public sealed class EngineApplication : IDisposable
{
    private static uint s_numbers = 100;

    private readonly EngineSite _site;
    private readonly EngineConnection _connection = EngineConnection.Create();
    private readonly ProcessMemory _process;
    private readonly byte[] _memory;
    private uint _sendProducer;
    private uint _receiveProducer;
    private readonly CompletionReader _completions;

    /// <param name="site">The engine that serves it.</param>
    /// <param name="address">Its container's.</param>
    /// <param name="bytes">Of its one region.</param>
    /// <param name="depth">Requests of each queue.</param>
    /// <param name="completions">Of its CQ.</param>
    /// <param name="protectionDomain">Its PD.</param>
    /// <param name="sharedReceives">Receives of an SRQ; 0: the QP has its own.</param>
    /// <param name="type">Of its QP.</param>
    public EngineApplication(
        EngineSite site, string address, int bytes = 1 << 16, int depth = 64, int completions = 256, uint protectionDomain = 1, int sharedReceives = 0,
        QueuePairType type = QueuePairType.ReliableConnection)
    {
        _site = site;
        Gid = Gid.FromAddress(IPAddress.Parse(address));
        _memory = GC.AllocateArray<byte>(bytes, pinned: true);
        _process = new ProcessMemory(
            File.OpenHandle("/proc/self/mem", FileMode.Open, FileAccess.ReadWrite),
            File.OpenHandle("/proc/self/maps", FileMode.Open, FileAccess.Read));
        Address = (ulong)Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0);
        Key = Interlocked.Increment(ref s_numbers);
        const AccessFlags All = AccessFlags.LocalWrite | AccessFlags.RemoteRead | AccessFlags.RemoteWrite | AccessFlags.RemoteAtomic | AccessFlags.MwBind;
        Region = new EngineMemoryRegion(_connection, Key, Key, protectionDomain, Address, _process.Register(Address, (ulong)bytes, write: true), All);
        CompletionQueue = EngineCompletionQueue.Create(_connection, 0, completions, null, 1);
        _completions = new CompletionReader(CompletionQueue);
        Shared = sharedReceives > 0 ? EngineReceiveQueue.CreateShared(_connection, 0, sharedReceives, 4, 0) : null;
        var wanted = new QueuePairCapabilities(depth, depth, 4, 4, 64);
        QueuePair = EngineQueuePair.Create(
            _connection, 0, Interlocked.Increment(ref s_numbers), protectionDomain, type,
            CompletionQueue, CompletionQueue, wanted, signalAll: false, Shared);
        site.Engine.Attach(_connection);
        site.Engine.Add(CompletionQueue);
        site.Engine.Add(QueuePair);
        site.Engine.Add(Region);
    }

    public Gid Gid { get; }

    public ulong Address { get; }

    public uint Key { get; }

    public Span<byte> Memory => _memory;

    public EngineMemoryRegion Region { get; }

    public EngineCompletionQueue CompletionQueue { get; }

    public EngineQueuePair QueuePair { get; }

    /// <summary>Its SRQ, if it has one.</summary>
    public EngineReceiveQueue? Shared { get; }

    public EngineConnection Connection => _connection;

    /// <summary>Takes the QPs of two applications to RTS, each other's peer; over a link where their engines differ.</summary>
    public static void Connect(EngineApplication one, EngineApplication other, byte timeout = 14, byte retries = 7, byte rnrRetries = 7)
    {
        one.ConnectTo(other, timeout, retries, rnrRetries);
        other.ConnectTo(one, timeout, retries, rnrRetries);
    }

    public void ConnectTo(EngineApplication peer, byte timeout = 14, byte retries = 7, byte rnrRetries = 7)
    {
        Modify(new QueuePairChange
        {
            State = QueuePairState.Init,
            Access = AccessFlags.LocalWrite | AccessFlags.RemoteRead | AccessFlags.RemoteWrite | AccessFlags.RemoteAtomic,
        });
        Modify(new QueuePairChange
        {
            State = QueuePairState.ReadyToReceive,
            LocalGid = Gid,
            RemoteGid = peer.Gid,
            RemoteQpn = peer.QueuePair.Number,
            Peer = peer._site == _site ? EngineQueuePair.SameRouter : 0,
            RqPsn = 5,
            MaxDestReadAtomic = 8,
            MinRnrTimer = 1,
        });
        Modify(new QueuePairChange
        {
            State = QueuePairState.ReadyToSend,
            SqPsn = 5,
            Timeout = timeout,
            RetryCount = retries,
            RnrRetry = rnrRetries,
            MaxReadAtomic = 8,
        });
    }

    public void Modify(QueuePairChange change)
    {
        using var done = new ManualResetEventSlim();
        _site.Engine.Modify(QueuePair, change, done.Set);
        if (!done.Wait(EngineSite.AnswersWithin))
            throw new TimeoutException("the engine does not answer");
    }

    /// <summary>Posts a request without ringing.</summary>
    public void Post(in SendWqeHead head, ReadOnlySpan<ScatterGatherEntry> entries)
    {
        var slot = QueuePair.SendRing.Slot(_sendProducer);
        MemoryMarshal.Write(slot, head);
        MemoryMarshal.AsBytes(entries).CopyTo(slot[SendWqeHead.Size..]);
        _sendProducer = QueuePair.SendRing.Next(_sendProducer);
        QueuePair.SendRing.Producer = _sendProducer;
    }

    /// <summary>Posts one signaled request over this application's own memory, and rings.</summary>
    public void Post(
        WorkRequestOpcode opcode, int offset, int length, EngineApplication peer, int remoteOffset = 0, ulong id = 0,
        SendFlags flags = SendFlags.Signaled, ulong compareAdd = 0, ulong swap = 0, uint immediate = 0)
    {
        var head = new SendWqeHead
        {
            WorkRequestId = id,
            Opcode = opcode,
            Flags = flags,
            ImmediateOrKey = immediate,
            RemoteAddress = peer.Address + (ulong)remoteOffset,
            Length = (uint)length,
            SgeCount = 1,
        };
        if (opcode is WorkRequestOpcode.AtomicCompareAndSwap or WorkRequestOpcode.AtomicFetchAndAdd)
            (head.CompareAdd, head.Swap, head.AtomicRemoteKey) = (compareAdd, swap, peer.Key);
        else
            head.RdmaRemoteKey = peer.Key;
        var entry = new ScatterGatherEntry { Address = Address + (ulong)offset, Length = (uint)length, LocalKey = Key };
        Post(head, new ReadOnlySpan<ScatterGatherEntry>(in entry));
        Ring();
    }

    /// <summary>Has the engine do something and say that it is done.</summary>
    public static T Ask<T>(Action<Action<T>> command)
    {
        using var done = new ManualResetEventSlim();
        T? answer = default;
        command(given =>
        {
            answer = given;
            done.Set();
        });
        return done.Wait(EngineSite.AnswersWithin) ? answer! : throw new TimeoutException("the engine does not answer");
    }

    /// <summary>What a library does once a queue has moved to another ring.</summary>
    public void Remap()
    {
        _receiveProducer = QueuePair.ReceiveRing.Producer;
        _completions.Remap();
    }

    public void PostReceive(int offset, int length, ulong id = 0)
    {
        var slot = QueuePair.ReceiveRing.Slot(_receiveProducer);
        MemoryMarshal.Write(slot, new ReceiveWqeHead { WorkRequestId = id, Length = (uint)length, SgeCount = 1 });
        MemoryMarshal.Write(slot[ReceiveWqeHead.Size..], new ScatterGatherEntry { Address = Address + (ulong)offset, Length = (uint)length, LocalKey = Key });
        _receiveProducer = QueuePair.ReceiveRing.Next(_receiveProducer);
        QueuePair.ReceiveRing.Producer = _receiveProducer;
    }

    public void Ring() => _connection.Ring();

    public bool TryTake(out WorkCompletion completion) => _completions.TryTake(out completion);

    /// <summary>Waits for one completion; throws when none comes within the bound.</summary>
    public WorkCompletion Take() => _completions.Take();

    /// <summary>Ends as a process that is killed: everything at once.</summary>
    public void Dispose()
    {
        using var done = new ManualResetEventSlim();
        _site.Engine.Detach(_connection, done.Set);
        done.Wait(EngineSite.AnswersWithin);
        QueuePair.Dispose();
        Shared?.Dispose();
        CompletionQueue.Dispose();
        _connection.Dispose();
        _process.Dispose();
    }
}
