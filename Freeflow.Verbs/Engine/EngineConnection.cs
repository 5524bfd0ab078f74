using System.Security.Cryptography;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Engine;

/// <summary>One application's open device, as the engine sees it: its doorbells and what they ring.</summary>
public sealed class EngineConnection : IDisposable
{
    private readonly EventFd _wake = EventFd.Create();
    private readonly SafeFileHandle _lifeline;
    private volatile EnginePort _port = EnginePort.None;

    private EngineConnection() => (_lifeline, LifelineHandle) = UnixSocket.StreamPair();

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

    public AddressHandleTable AddressHandles { get; } = new();

    internal DoorbellMemory Doorbell { get; } = new();

    internal Dictionary<uint, EngineQueuePair> QueuePairs { get; } = [];

    internal HashSet<EngineCompletionQueue> CompletionQueues { get; } = [];

    internal HashSet<EngineMemoryRegion> MemoryRegions { get; } = [];

    internal HashSet<EngineMemoryWindow> MemoryWindows { get; } = [];

    /// <summary>The engine's key for the eventfd; 0 while not attached.</summary>
    internal ulong WakeKey { get; set; }

    /// <summary>Whether the engine looks at the doorbells without being woken, and since when nothing rang.</summary>
    internal bool Watched { get; set; }

    internal long LastRang { get; set; }

    public static EngineConnection Create() => new();

    /// <summary>Frees the doorbells. Only after the engine has detached the connection.</summary>
    public void Dispose()
    {
        Doorbell.Dispose();
        _wake.Dispose();
        _lifeline.Dispose();
        LifelineHandle.Dispose();
    }
}
