using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Measuring;

/// <summary>What a measuring device is called in the engine.</summary>
/// <param name="Qpn">Of its QP.</param>
/// <param name="Key">Of its region, for lkey and rkey.</param>
/// <param name="Domain">Its PD.</param>
public readonly record struct MeasuringNumbers(uint Qpn, uint Key, uint Domain);

/// <summary>
/// A device of the router's own, with one RC QP and one region whose pages it shares with the engine, as a container's application has them: to measure the way
/// between two engines without one. Not for several threads at once.
/// </summary>
public sealed class MeasuringDevice : IDisposable
{
    /// <summary>WRITEs that may be under way.</summary>
    public const int Depth = 32;

    /// <summary>Of its region, which is not mapped anywhere else.</summary>
    public const ulong Address = 0x10000;

    private const int Handle = 0;
    private const int AsleepOffset = 0;
    private const int SummaryOffset = 64;
    private const int FirstGroupOffset = 128;

    private readonly VerbsEngine _engine;
    private readonly MeasuringNumbers _numbers;
    private readonly EngineConnection _connection = EngineConnection.Create();
    private readonly SharedMemory _memory;
    private readonly EngineCompletionQueue _completions;
    private readonly EngineQueuePair _queuePair;
    private uint _producer;
    private uint _consumer;
    private int _underWay;

    /// <exception cref="System.ComponentModel.Win32Exception">ENOMEM or EMFILE.</exception>
    public MeasuringDevice(VerbsEngine engine, MeasuringNumbers numbers, int bytes)
    {
        (_engine, _numbers) = (engine, numbers);
        try
        {
            _memory = SharedMemory.Create("freeflow-measuring", bytes);
            _completions = EngineCompletionQueue.Create(_connection, Handle, 2 * Depth, null, 0);
            _queuePair = EngineQueuePair.Create(
                _connection, Handle, numbers.Qpn, numbers.Domain, QueuePairType.ReliableConnection, _completions, _completions,
                new QueuePairCapabilities(Depth, 1, 1, 1, 0), signalAll: true);
        }
        catch
        {
            _memory?.Dispose();
            _connection.Dispose();
            throw;
        }

        engine.Attach(_connection);
        engine.Add(_completions);
        engine.Add(_queuePair);
        var region = RegisteredMemory.Over(_memory, Address);
        engine.Add(new EngineMemoryRegion(_connection, numbers.Key, numbers.Key, numbers.Domain, Address, region, AccessFlags.LocalWrite | AccessFlags.RemoteWrite));
    }

    /// <summary>Takes the QP to RTS; done when the engine has it so.</summary>
    public async Task ConnectAsync(Gid local, Gid remote, uint remoteQpn, int peer)
    {
        await ModifyAsync(new QueuePairChange { State = QueuePairState.Init, Access = AccessFlags.LocalWrite | AccessFlags.RemoteWrite });
        await ModifyAsync(new QueuePairChange
        {
            State = QueuePairState.ReadyToReceive, LocalGid = local, RemoteGid = remote, RemoteQpn = remoteQpn, Peer = peer, RqPsn = 0, MaxDestReadAtomic = 1, MinRnrTimer = 1,
        });
        await ModifyAsync(new QueuePairChange { State = QueuePairState.ReadyToSend, SqPsn = 0, Timeout = 14, RetryCount = 7, RnrRetry = 7, MaxReadAtomic = 1 });
    }

    /// <summary>Begins an RDMA WRITE of the region's first bytes; false when <see cref="Depth"/> are under way.</summary>
    public bool TryWrite(uint remoteKey, int length)
    {
        if (_underWay == Depth)
            return false;
        _underWay++;
        var slot = _queuePair.SendRing.Slot(_producer);
        MemoryMarshal.Write(slot, new SendWqeHead
        {
            Opcode = WorkRequestOpcode.RdmaWrite, Flags = SendFlags.Signaled, RemoteAddress = Address, RdmaRemoteKey = remoteKey, Length = (uint)length, SgeCount = 1,
        });
        MemoryMarshal.Write(slot[SendWqeHead.Size..], new ScatterGatherEntry { Address = Address, Length = (uint)length, LocalKey = _numbers.Key });
        _producer = _queuePair.SendRing.Next(_producer);
        _queuePair.SendRing.Producer = _producer;
        Ring();
        return true;
    }

    /// <summary>Takes the completion of the oldest WRITE, if there is one.</summary>
    public bool TryTake(out WorkCompletionStatus status)
    {
        var ring = _completions.Ring;
        status = WorkCompletionStatus.Success;
        if (_consumer == ring.Producer)
            return false;
        status = MemoryMarshal.Read<WorkCompletion>(ring.Slot(_consumer)).Status;
        _consumer = ring.Next(_consumer);
        ring.Consumer = _consumer;
        _underWay--;
        return true;
    }

    /// <summary>Frees everything once the engine has let go of it.</summary>
    public void Dispose() => _engine.Detach(_connection, () => Task.Run(() =>
    {
        _queuePair.Dispose();
        _completions.Dispose();
        _connection.Dispose();
        _memory.Dispose();
    }));

    /// <summary>As the shim does for ibv_post_send (struct ff_doorbell).</summary>
    private void Ring()
    {
        var doorbell = _connection.Doorbell.Memory;
        Interlocked.Or(ref MemoryMarshal.AsRef<ulong>(doorbell.Span(FirstGroupOffset, sizeof(ulong))), 1UL << Handle);
        Interlocked.Or(ref MemoryMarshal.AsRef<ulong>(doorbell.Span(SummaryOffset, sizeof(ulong))), 1UL);
        ref var asleep = ref MemoryMarshal.AsRef<uint>(doorbell.Span(AsleepOffset, sizeof(uint)));
        if (Volatile.Read(ref asleep) != 0 && Interlocked.Exchange(ref asleep, 0) == 1)
            RandomAccess.Write(_connection.WakeHandle, "\u0001\0\0\0\0\0\0\0"u8, 0);
    }

    private Task ModifyAsync(QueuePairChange change)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _engine.Modify(_queuePair, change, done.SetResult);
        return done.Task;
    }
}
