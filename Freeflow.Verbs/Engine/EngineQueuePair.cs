using System.Runtime.CompilerServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Policy;
using Freeflow.Verbs.Rings;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// A QP as the engine runs it: the two rings that the application shares, and the state of its requester and responder.
/// Everything but the constructor runs on the engine's thread.
/// </summary>
public sealed class EngineQueuePair : IDisposable
{
    /// <summary><see cref="Peer"/> of a QP that is connected within this router.</summary>
    public const int SameRouter = -1;

    /// <summary><see cref="Peer"/> of a QP that is not connected.</summary>
    public const int NoPeer = -2;

    /// <summary>In the place of a peer's number: all that have members of a multicast group.</summary>
    internal const int GroupPeers = -3;

    private const int MaximumReadAtomic = 128;

    private volatile QueuePairState _state;

    private EngineQueuePair(
        EngineConnection connection, uint handle, uint number, uint protectionDomain, QueuePairType type,
        EngineCompletionQueue sendCq, EngineCompletionQueue receiveCq, QueuePairCapabilities capabilities, bool signalAll,
        SharedRing sendRing, EngineReceiveQueue receives)
    {
        Connection = connection;
        Handle = handle;
        Number = number;
        ProtectionDomain = protectionDomain;
        Type = type;
        SendCq = sendCq;
        ReceiveCq = receiveCq;
        Capabilities = capabilities;
        SignalAll = signalAll;
        SendRing = sendRing;
        Receives = receives;

        var slots = (int)sendRing.Mask + 1;
        Operations = new SendOperation[slots];
        Datagrams = type == QueuePairType.UnreliableDatagram ? new DatagramTarget[slots] : [];
        SendEntries = new ScatterGatherEntry[slots * capabilities.MaxSendSge];
        InlineData = GC.AllocateUninitializedArray<byte>(slots * capabilities.MaxInline, pinned: true);
        ReceiveEntries = new ScatterGatherEntry[Math.Max(1, receives.MaximumSges)];
    }

    public EngineConnection Connection { get; }

    /// <summary>Below <see cref="EngineConnection.MaximumQueuePairs"/>: the QP's bit in the doorbell memory.</summary>
    public uint Handle { get; }

    /// <summary>The QPN, unique in the router.</summary>
    public uint Number { get; }

    public uint ProtectionDomain { get; }

    public QueuePairType Type { get; }

    public EngineCompletionQueue SendCq { get; }

    public EngineCompletionQueue ReceiveCq { get; }

    /// <summary>The sizes that were made, at least those asked for.</summary>
    public QueuePairCapabilities Capabilities { get; }

    public bool SignalAll { get; }

    public SharedRing SendRing { get; }

    /// <summary>Where its receives come from: its own queue, or an SRQ.</summary>
    public EngineReceiveQueue Receives { get; }

    /// <summary>The ring of <see cref="Receives"/>.</summary>
    public SharedRing ReceiveRing => Receives.Ring;

    /// <summary>The state as the engine last had it; other threads may read it. The application's doorbell is refused in some of them.</summary>
    public QueuePairState State
    {
        get => _state;
        internal set
        {
            _state = value;
            Connection.Doorbell.SetSendable(Handle, value is not (QueuePairState.Reset or QueuePairState.Init or QueuePairState.ReadyToReceive));
        }
    }

    /// <summary>In SQD, whether requests that were begun before are not done yet; other threads may read it.</summary>
    public bool IsDraining =>
        State == QueuePairState.SendQueueDrain && (Head != Next || Operations[Next & SendRing.Mask].State != OperationState.Posted);

    /// <summary>Number of the next message that it sends, in 24 bits; other threads may read it.</summary>
    public uint NextPsn => NextSequence & 0xffffff;

    /// <summary>The same of the next one that it gets.</summary>
    public uint ExpectedPsn => Expected & 0xffffff;

    /// <summary>Work requests of the send queue that were carried out since RESET, modulo 2³²; other threads may read it.</summary>
    public uint SendsDone { get; internal set; }

    /// <summary>Those that have begun and are not done; the same.</summary>
    public uint SendsUnderWay => SendRing.Distance(Head, Next);

    /// <summary>When the engine saw a doorbell that the QP has had no turn for, in Stopwatch ticks; 0: there is none.</summary>
    internal long RangAt { get; set; }

    // The connection, from QueuePairChange.
    internal Gid LocalGid { get; set; }

    internal Gid RemoteGid { get; set; }

    internal uint RemoteQpn { get; set; }

    internal int Peer { get; set; } = NoPeer;

    internal uint Qkey { get; set; }

    internal byte Timeout { get; set; }

    internal byte RetryCount { get; set; }

    internal byte RnrRetry { get; set; }

    internal byte MinRnrTimer { get; set; }

    internal byte MaxReadAtomic { get; set; }

    internal byte MaxDestReadAtomic { get; set; }

    internal AccessFlags Access { get; set; }

    internal bool NotifyDrained { get; set; }

    // Scheduling.
    internal bool Attached { get; set; }

    internal bool Queued { get; set; }

    internal bool Parked { get; set; }

    /// <summary>Whether it waits because its container has sent as much as it may.</summary>
    internal bool HeldByRate { get; set; }

    internal RetryTimer Timer;

    // Requester. [Head, Next) are under way; [Next, ring producer) are posted.
    internal SendOperation[] Operations { get; }

    internal ScatterGatherEntry[] SendEntries { get; }

    internal byte[] InlineData { get; }

    /// <summary>What an unreliable QP knows of its peer's receives.</summary>
    internal ReceiveWindow Window;

    /// <summary>Where the datagrams go, by slot; empty but for UD.</summary>
    internal DatagramTarget[] Datagrams { get; }

    /// <summary>Where the last datagram came from, and by what it was let in.</summary>
    internal (AccessPolicy? Policy, EnginePort? Port, (Gid From, Gid To) Route) Admitted { get; set; }

    /// <summary>The multicast groups that a UD QP is in.</summary>
    internal List<GroupName> Groups { get; } = [];

    internal uint Head { get; set; }

    internal uint Next { get; set; }

    /// <summary>First operation that no acknowledgement has covered.</summary>
    internal uint Unacknowledged { get; set; }

    internal uint NextSequence { get; set; }

    internal uint NextSendNumber { get; set; }

    /// <summary>The first <see cref="SendOperation.SendNumber"/> for which the peer has announced no receive.</summary>
    internal uint SendLimit { get; set; }

    internal int OutstandingReads { get; set; }

    /// <summary>Operations between Head and Next, Next included, that the peer knows nothing of.</summary>
    internal int LocalOperations { get; set; }

    /// <summary>An operation has failed: nothing further starts.</summary>
    internal bool Stopped { get; set; }

    // Responder.
    internal uint Expected { get; set; }

    internal bool SaidOutOfSequence { get; set; }

    internal bool Established { get; set; }

    internal InboundMessage Inbound;

    internal HeldReceive Receive;

    internal ScatterGatherEntry[] ReceiveEntries { get; }

    /// <summary>The destination of a write, as a list of one.</summary>
    internal ScatterGatherEntry[] WriteEntry { get; } = new ScatterGatherEntry[1];

    internal ScatterGatherEntry[] ReadEntry { get; } = new ScatterGatherEntry[1];

    /// <summary>Receives taken since RESET, in the peer's count of <see cref="SendOperation.SendNumber"/>; other threads may read it.</summary>
    public uint ReceivesTaken { get; internal set; }

    internal bool OwesAcknowledgement { get; set; }

    /// <summary>Until when the acknowledgement waits for an answer; 0 when it does not.</summary>
    internal long HeldBackUntil { get; set; }

    /// <summary>Whether to stay awake for this QP's application.</summary>
    internal AnswerHabit Attention;

    /// <summary>Whether to hold acknowledgements back for it.</summary>
    internal AnswerHabit Acknowledging;

    internal ResponseQueue Responses { get; } = new(MaximumReadAtomic + 1);

    internal AtomicReplay Replay { get; } = new(MaximumReadAtomic);

    /// <summary>Whether messages are acknowledged, and lost ones sent again.</summary>
    internal bool IsReliable => Type == QueuePairType.ReliableConnection;

    /// <summary>Whether it has a peer that it talks to.</summary>
    internal bool IsConnected => State is QueuePairState.ReadyToReceive or QueuePairState.ReadyToSend or QueuePairState.SendQueueDrain;

    /// <summary>
    /// Makes a QP in RESET. As in the rxe driver, SGEs and inline data share their space, rings are rounded up to powers of two, and
    /// a queue may be asked to hold nothing. With an SRQ it has no receives of its own.
    /// </summary>
    public static EngineQueuePair Create(
        EngineConnection connection, uint handle, uint number, uint protectionDomain, QueuePairType type,
        EngineCompletionQueue sendCq, EngineCompletionQueue receiveCq, QueuePairCapabilities capabilities, bool signalAll,
        EngineReceiveQueue? shared = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(handle, (uint)EngineConnection.MaximumQueuePairs);
        const int entry = 16;
        var data = Math.Max(capabilities.MaxSendSge * entry, capabilities.MaxInline);
        var made = capabilities with { MaxSendSge = data / entry, MaxInline = data };
        // What the constructor makes for each slot.
        var beside = Unsafe.SizeOf<SendOperation>() + (made.MaxSendSge * entry) + made.MaxInline
            + (type == QueuePairType.UnreliableDatagram ? Unsafe.SizeOf<DatagramTarget>() : 0);
        var send = SharedRing.Create(
            $"freeflow-sq-{connection.Token:x16}-{sendCq.Handle:x}-{number:x}", made.MaxSendWr, SendWqeHead.Size + data,
            connection.Rings, beside);
        EngineReceiveQueue receive;
        try
        {
            receive = shared ?? EngineReceiveQueue.Create(connection, receiveCq, number, made.MaxRecvWr, made.MaxRecvSge);
        }
        catch
        {
            send.Dispose();
            throw;
        }

        return new EngineQueuePair(
            connection, handle, number, protectionDomain, type, sendCq, receiveCq, made, signalAll, send, receive);
    }

    /// <summary>Frees the rings. Only after the engine has removed the QP.</summary>
    public void Dispose()
    {
        SendRing.Dispose();
        if (!Receives.IsShared)
            Receives.Dispose();
    }

    /// <summary>Whether a request from that QP of that router may come in here.</summary>
    internal bool IsConnectedTo(int peer, uint number, in Gid from, in Gid to) =>
        Peer == peer && RemoteQpn == number && RemoteGid == from && LocalGid == to;

    /// <summary>Back to RESET: as if newly made.</summary>
    internal void Clear()
    {
        SendRing.Clear();
        if (!Receives.IsShared)
            Receives.Clear();
        Array.Clear(Operations);
        (Head, Next, Unacknowledged) = (0, 0, 0);
        (NextSendNumber, SendLimit, ReceivesTaken, SendsDone) = (0, 0, 0, 0);
        OutstandingReads = LocalOperations = 0;
        Stopped = SaidOutOfSequence = Established = OwesAcknowledgement = false;
        Inbound = default;
        Receive = default;
        Peer = NoPeer;
        Window = default;
        Responses.Clear();
        Replay.Clear();
    }

    internal MemoryCursor CursorOf(uint slot, AccessFlags access) =>
        new(SendEntries, (int)slot * Capabilities.MaxSendSge, Operations[slot].SgeCount, ProtectionDomain, access);

    internal ReadOnlySpan<byte> InlineOf(uint slot) =>
        InlineData.AsSpan((int)slot * Capabilities.MaxInline, (int)Operations[slot].Length);
}
