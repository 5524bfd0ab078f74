using System.Security.Cryptography;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Freeflow.Verbs.Rings;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Engine;

/// <summary>One application's open device, as the engine sees it: its doorbells and what they ring.</summary>
public sealed class EngineConnection : IDisposable
{
    private readonly EventFd _wake;
    private readonly SafeFileHandle _lifeline;
    private volatile EnginePort _port = EnginePort.None;

    private EngineConnection(
        EventFd wake, DoorbellMemory doorbell, SafeFileHandle lifeline, SafeFileHandle lifelineHandle, ByteBudget queueMemory, ContainerTally tally, ContainerRates rates)
    {
        Rates = rates;
        _wake = wake;
        _lifeline = lifeline;
        Doorbell = doorbell;
        LifelineHandle = lifelineHandle;
        Rings = new RingLedger(queueMemory);
        Tally = tally;
    }

    /// <summary>QP and CQ handles lie below these.</summary>
    public const int MaximumQueuePairs = DoorbellMemory.MaximumQueuePairs;

    public const int MaximumCompletionQueues = DoorbellMemory.MaximumCompletionQueues;

    /// <summary>The doorbell memory, for the application to map.</summary>
    public SafeFileHandle DoorbellHandle => Doorbell.Memory.Handle;

    public int DoorbellBytes => checked((int)Doorbell.Memory.Length);

    /// <summary>The eventfd with which the application wakes a sleeping engine.</summary>
    public SafeFileHandle WakeHandle => _wake.Handle;

    /// <summary>Hangs up when this router is gone, and with it all that the application has posted.</summary>
    public SafeFileHandle LifelineHandle { get; }

    /// <summary>In the names of this connection's rings.</summary>
    public ulong Token { get; } = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>Set by its owner whenever the container's addresses change.</summary>
    public EnginePort Port
    {
        get => _port;
        set => _port = value;
    }

    /// <summary>How fast it may send.</summary>
    public ContainerRates Rates { get; }

    public AddressHandleTable AddressHandles { get; } = new();

    /// <summary>What its container has done.</summary>
    internal ContainerTally Tally { get; }

    /// <summary>All rings of its QPs, CQs and SRQs.</summary>
    internal RingLedger Rings { get; }

    internal DoorbellMemory Doorbell { get; }

    internal Dictionary<uint, EngineQueuePair> QueuePairs { get; } = [];

    internal HashSet<EngineCompletionQueue> CompletionQueues { get; } = [];

    internal HashSet<EngineMemoryRegion> MemoryRegions { get; } = [];

    internal HashSet<EngineMemoryWindow> MemoryWindows { get; } = [];

    /// <summary>The engine's key for the eventfd; 0 while not attached.</summary>
    internal ulong WakeKey { get; set; }

    /// <summary>Whether the engine looks at the doorbells without being woken, and since when nothing rang.</summary>
    internal bool Watched { get; set; }

    internal long LastRang { get; set; }

    /// <param name="queueMemory">What its rings count for; null: nothing.</param>
    /// <param name="tally">Where what it does is counted; null: nowhere.</param>
    /// <param name="rates">How fast its container may send; null: as fast as it can.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">ENOMEM or EMFILE; nothing is left then.</exception>
    public static EngineConnection Create(ByteBudget? queueMemory = null, ContainerTally? tally = null, ContainerRates? rates = null)
    {
        var wake = EventFd.Create();
        DoorbellMemory? doorbell = null;
        try
        {
            doorbell = new DoorbellMemory();
            var (lifeline, handle) = UnixSocket.StreamPair();
            return new EngineConnection(
                wake, doorbell, lifeline, handle, queueMemory ?? ByteBudget.Boundless, tally ?? new ContainerTally(), rates ?? new ContainerRates());
        }
        catch
        {
            doorbell?.Dispose();
            wake.Dispose();
            throw;
        }
    }

    /// <summary>Frees the doorbells and whatever rings are left. Only after the engine has detached the connection.</summary>
    public void Dispose()
    {
        Rings.Dispose();
        Doorbell.Dispose();
        _wake.Dispose();
        _lifeline.Dispose();
        LifelineHandle.Dispose();
    }
}
