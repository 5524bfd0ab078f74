using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Testbed;

/// <summary>An application with a UD QP, one CQ and one region, which does by hand what libibverbs does.</summary>
public sealed class DatagramApplication : IDisposable
{
    private static uint s_numbers = 5000;

    private readonly EngineSite _site;
    private readonly EngineConnection _connection = EngineConnection.Create();
    private readonly ProcessMemory _process;
    private readonly byte[] _memory = GC.AllocateArray<byte>(1 << 16, pinned: true);
    private uint _sendProducer;
    private uint _receiveProducer;
    private readonly CompletionReader _completions;

    public DatagramApplication(EngineSite site, string address, ulong tenant = 1, int mtu = 1024, uint qkey = 77)
    {
        const uint Domain = 1;
        _site = site;
        Gid = Gid.FromAddress(IPAddress.Parse(address));
        _process = new ProcessMemory(
            File.OpenHandle("/proc/self/mem", FileMode.Open, FileAccess.ReadWrite),
            File.OpenHandle("/proc/self/maps", FileMode.Open, FileAccess.Read));
        Address = (ulong)Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0);
        Key = Interlocked.Increment(ref s_numbers);
        var region = new EngineMemoryRegion(
            _connection, Key, Key, Domain, Address, _process.Register(Address, (ulong)_memory.Length, write: true), AccessFlags.LocalWrite);
        CompletionQueue = EngineCompletionQueue.Create(_connection, 0, 256, null, 1);
        _completions = new CompletionReader(CompletionQueue);
        QueuePair = EngineQueuePair.Create(
            _connection, 0, Interlocked.Increment(ref s_numbers), Domain, QueuePairType.UnreliableDatagram,
            CompletionQueue, CompletionQueue, new QueuePairCapabilities(128, 128, 4, 4, 64), signalAll: false);
        _connection.Port = new EnginePort(tenant, [Gid], mtu);
        site.Engine.Attach(_connection);
        site.Engine.Add(CompletionQueue);
        site.Engine.Add(QueuePair);
        site.Engine.Add(region);
        site.Owners[Gid] = EngineQueuePair.SameRouter;
        Modify(new QueuePairChange { State = QueuePairState.Init, Qkey = qkey });
        Modify(new QueuePairChange { State = QueuePairState.ReadyToReceive });
        Modify(new QueuePairChange { State = QueuePairState.ReadyToSend, SqPsn = 1 });
    }

    public Gid Gid { get; }

    public ulong Address { get; }

    public uint Key { get; }

    public Span<byte> Memory => _memory;

    public EngineCompletionQueue CompletionQueue { get; }

    public EngineQueuePair QueuePair { get; }

    /// <summary>Makes an address handle with this number.</summary>
    public void SetHandle(uint number, Gid to, uint domain = 1) =>
        _connection.AddressHandles.Set(number, new EngineAddressHandle(domain, new DatagramRoute(Gid, to, 0, 7, 3)));

    public void DestroyHandle(uint number) => _connection.AddressHandles.Set(number, null);

    public bool Join(Gid group)
    {
        using var done = new ManualResetEventSlim();
        var joined = false;
        _site.Engine.JoinGroup(QueuePair, group, result =>
        {
            joined = result;
            done.Set();
        });
        done.Wait(EngineSite.AnswersWithin);
        return joined;
    }

    public void Leave(Gid group)
    {
        using var done = new ManualResetEventSlim();
        _site.Engine.LeaveGroup(QueuePair, group, done.Set);
        done.Wait(EngineSite.AnswersWithin);
    }

    public void Modify(QueuePairChange change)
    {
        using var done = new ManualResetEventSlim();
        _site.Engine.Modify(QueuePair, change, done.Set);
        if (!done.Wait(EngineSite.AnswersWithin))
            throw new TimeoutException("the engine does not answer");
    }

    /// <summary>Posts one signaled datagram from the start of this application's memory, and rings. With handle 0 it writes the vector itself.</summary>
    public void Post(uint handle, uint qpn, int length, ulong id = 0, uint qkey = 77, Gid vector = default, WorkRequestOpcode opcode = WorkRequestOpcode.Send)
    {
        var slot = QueuePair.SendRing.Slot(_sendProducer);
        slot.Clear();
        MemoryMarshal.Write(slot, new SendWqeHead { WorkRequestId = id, Opcode = opcode, Flags = SendFlags.Signaled, Length = (uint)length, SgeCount = 1 });
        MemoryMarshal.Write(slot[24..], qpn);
        MemoryMarshal.Write(slot[28..], qkey);
        MemoryMarshal.Write(slot[36..], handle);
        MemoryMarshal.Write(slot[64..], vector);
        MemoryMarshal.Write(slot[SendWqeHead.Size..], new ScatterGatherEntry { Address = Address, Length = (uint)length, LocalKey = Key });
        _sendProducer = QueuePair.SendRing.Next(_sendProducer);
        QueuePair.SendRing.Producer = _sendProducer;
        _connection.Ring();
    }

    public void PostReceive(int offset, int length, ulong id = 0)
    {
        var slot = QueuePair.ReceiveRing.Slot(_receiveProducer);
        MemoryMarshal.Write(slot, new ReceiveWqeHead { WorkRequestId = id, Length = (uint)length, SgeCount = 1 });
        MemoryMarshal.Write(slot[ReceiveWqeHead.Size..], new ScatterGatherEntry { Address = Address + (ulong)offset, Length = (uint)length, LocalKey = Key });
        _receiveProducer = QueuePair.ReceiveRing.Next(_receiveProducer);
        QueuePair.ReceiveRing.Producer = _receiveProducer;
    }

    public bool TryTake(out WorkCompletion completion) => _completions.TryTake(out completion);

    /// <summary>Waits for one completion; throws when none comes within the bound.</summary>
    public WorkCompletion Take() => _completions.Take();

    public void Dispose()
    {
        using var done = new ManualResetEventSlim();
        _site.Engine.Detach(_connection, done.Set);
        done.Wait(EngineSite.AnswersWithin);
        QueuePair.Dispose();
        CompletionQueue.Dispose();
        _connection.Dispose();
        _process.Dispose();
    }
}
