using System.Numerics;

namespace Freeflow.Verbs.Model.Device;

/// <summary>A QP: what it was made with, what it was told, and what is posted to it.</summary>
public sealed class QueuePair
{
    public required string Name { get; init; }

    public required string Domain { get; init; }

    public required Transport Transport { get; init; }

    public required Sizes Asked { get; init; }

    public required string SendQueue { get; init; }

    public required string ReceiveQueue { get; init; }

    public bool SignalsAll { get; init; }

    public SharedQueue? Shared { get; init; }

    public bool IsAlive { get; set; } = true;

    public PairState State { get; set; }

    public Dictionary<string, uint> Attributes { get; } = new()
    {
        ["access"] = 0,
        ["pkey"] = 0,
        ["port"] = 0,
        ["qkey"] = 0,
        ["mtu"] = 1,
        ["rd"] = 0,
        ["dest-rd"] = 0,
        ["rnr-timer"] = 0,
        ["timeout"] = 0,
        ["retry"] = 0,
        ["rnr-retry"] = 0,
    };

    /// <summary>The QP whose number it was told.</summary>
    public QueuePair? Peer { get; set; }

    /// <summary>The multicast groups that it is attached to.</summary>
    public HashSet<string> Groups { get; } = [];

    /// <summary>Everything in the ring, the oldest first.</summary>
    public List<SendRequest> Sends { get; } = [];

    public Queue<ReceiveRequest> OwnReceives { get; } = new();

    /// <summary>Whether something was posted since it came to RTS: the driver looks into the ring when it is told of it.</summary>
    public bool HasRung { get; set; }

    /// <summary>SGEs and inline data share the space behind a request (rxe_qp_init_req).</summary>
    public int SendBytes => Math.Max(Asked.SendSges * 16, Asked.Inline);

    public int SendSges => SendBytes / 16;

    public int SendCapacity => RingOf(Asked.Sends);

    public int ReceiveCapacity => Shared is null ? RingOf(Asked.Receives) : 0;

    public int ReceiveSges => Shared is null ? Asked.ReceiveSges : 0;

    public Queue<ReceiveRequest> Receives => Shared?.Receives ?? OwnReceives;

    /// <summary>Whether it takes what comes in.</summary>
    public bool IsReady => IsAlive && State is PairState.Rtr or PairState.Rts or PairState.Sqd;

    /// <summary>What a ring for so many holds: slots are a power of two, and one stays empty.</summary>
    public static int RingOf(int asked) => (int)BitOperations.RoundUpToPowerOf2((uint)asked + 1) - 1;

    /// <summary>Sizes as CREATE_QP is asked for them.</summary>
    public sealed record Sizes(int Sends, int Receives, int SendSges, int ReceiveSges, int Inline);
}
