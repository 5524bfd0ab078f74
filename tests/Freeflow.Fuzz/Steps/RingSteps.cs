using System.Runtime.InteropServices;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;

namespace Freeflow.Fuzz.Steps;

/// <summary>What is written into rings and doorbells.</summary>
internal static class RingSteps
{
    /// <summary>Work requests: mostly such as could be carried out.</summary>
    public static void Post(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        if (device.Objects.Any(Kind.QueuePair, choices) is not { SendRing: { } ring } pair)
            return;
        for (var left = choices.Below(6); left >= 0; left--)
        {
            WriteRequest(scene, device, pair, ring.Slot(ring.Producer), choices);
            ring.Producer = ring.Next(ring.Producer);
        }

        if (!choices.OneIn(8))
            device.Ring(pair.Handle);
    }

    public static void Receive(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var owner = choices.OneIn(4) ? device.Objects.Any(Kind.SharedQueue, choices) : device.Objects.Any(Kind.QueuePair, choices);
        if (owner?.Ring is not { } ring)
            return;
        for (var left = choices.Below(6); left >= 0; left--)
        {
            var slot = ring.Slot(ring.Producer);
            var count = SgeCount(choices);
            MemoryMarshal.Write(slot, new ReceiveWqeHead { WorkRequestId = choices.Next(256), Length = (uint)choices.Below(4096), SgeCount = count });
            WriteEntries(device, slot[ReceiveWqeHead.Size..], count, choices);
            ring.Producer = ring.Next(ring.Producer);
        }
    }

    /// <summary>Takes completions, as applications should; they show what the engine has done.</summary>
    public static void Poll(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        if (device.Objects.Any(Kind.CompletionQueue, choices) is not { Ring: { } ring })
            return;
        for (var left = choices.Below(64); left >= 0 && ring.Consumer != ring.Producer; left--)
        {
            var completion = MemoryMarshal.Read<WorkCompletion>(ring.Slot(ring.Consumer));
            if (Enum.IsDefined(completion.Opcode) && Enum.IsDefined(completion.Status))
                scene.Saw($"completion {completion.Opcode} {completion.Status}");
            ring.Consumer = ring.Next(ring.Consumer);
        }
    }

    public static void Ring(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        for (var left = choices.Below(8); left >= 0; left--)
            device.Ring(scene.Handle(device, Kind.QueuePair, choices));
        device.Wake();
    }

    /// <summary>Indices, sizes or contents of some ring are written over.</summary>
    public static void Scribble(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var rings = RingsOf(scene);
        if (rings.Length == 0)
            return;
        var ring = rings[choices.Below(rings.Length)];
        switch (choices.Below(4))
        {
            case 0:
                ring.Producer = choices.OneIn(2) ? (uint)choices.Edge() : ring.Producer + (uint)choices.Below(64);
                break;
            case 1:
                ring.Consumer = choices.OneIn(2) ? (uint)choices.Edge() : ring.Consumer - (uint)choices.Below(64);
                break;
            case 2:
                ring.Spoil(choices.Of(RingLayout.Log2ElementSize, RingLayout.IndexMask), (uint)choices.Edge());
                break;
            default:
                for (var left = choices.Below(16); left >= 0; left--)
                    ring.Spoil(RingLayout.Data + (4 * choices.Below(1024)), (uint)choices.Edge());
                break;
        }

        foreach (var pair in device.Objects.Of(Kind.QueuePair))
            device.Ring(pair.Handle);
    }

    public static void ScribbleDoorbell(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        for (var left = choices.Below(8); left >= 0; left--)
            device.ScribbleDoorbell(choices.OneIn(2) ? choices.Below(128) : (int)choices.Next(4096), choices.Edge());
        device.Wake();
    }

    /// <summary>A second thread rewrites all rings from now on.</summary>
    public static void Storm(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        scene.Storm.Over(RingsOf(scene));
        foreach (var pair in device.Objects.Of(Kind.QueuePair))
            device.Ring(pair.Handle);
    }

    public static void Calm(Scene scene, Choices choices) => scene.Storm.Over([]);

    public static void Pause(Scene scene, Choices choices) => Thread.Sleep(1 + choices.Below(10));

    private static MappedRing[] RingsOf(Scene scene) => [.. scene.Devices.SelectMany(device => device.Objects.All).OrderBy(each => (each.Kind, each.Handle)).SelectMany(each => each.Rings)];

    private static void WriteRequest(Scene scene, Device device, DeviceObject pair, Span<byte> slot, Choices choices)
    {
        const byte ud = 4;
        var opcode = choices.OneIn(32) ? (WorkRequestOpcode)choices.Edge() : (WorkRequestOpcode)choices.Below(10);
        if (pair.Type == ud && !choices.OneIn(8))
            opcode = choices.Of(WorkRequestOpcode.Send, WorkRequestOpcode.SendWithImmediate);
        var count = SgeCount(choices);
        var (key, address) = SomeRemote(scene, choices);
        var head = new SendWqeHead
        {
            WorkRequestId = choices.Next(256),
            Opcode = opcode,
            Flags = choices.OneIn(16) ? (SendFlags)choices.Edge() : (SendFlags)choices.Below(32) & (choices.OneIn(4) ? (SendFlags)0x1f : ~SendFlags.Inline),
            ImmediateOrKey = choices.OneIn(2) ? key : (uint)choices.Edge(),
            RemoteAddress = address,
            Length = choices.OneIn(4) ? (uint)choices.Edge() : (uint)choices.Below(128),
            SgeCount = count,
        };
        switch (opcode)
        {
            case WorkRequestOpcode.AtomicCompareAndSwap or WorkRequestOpcode.AtomicFetchAndAdd:
                head.CompareAdd = choices.Edge();
                head.Swap = choices.Edge();
                head.AtomicRemoteKey = key;
                break;
            case WorkRequestOpcode.BindMw:
                head.WindowLength = choices.OneIn(4) ? choices.Edge() : choices.Next(4096);
                head.RegionKey = choices.OneIn(8) ? (uint)choices.Edge() : device.Objects.Any(Kind.Region, choices)?.LocalKey ?? 0;
                var window = device.Objects.Any(Kind.Window, choices);
                head.WindowKey = window?.RemoteKey ?? key;
                head.NewWindowKey = choices.OneIn(8) ? (uint)choices.Edge() : (head.WindowKey & ~0xffu) | (uint)choices.Below(4);
                head.WindowAccess = (AccessFlags)choices.Mostly(0xf, 0x6, 0, 0x2f);
                if (window is not null && choices.OneIn(2))
                    window.RemoteKey = head.NewWindowKey;
                break;
            default:
                head.RdmaRemoteKey = key;
                break;
        }

        MemoryMarshal.Write(slot, head);
        if (pair.Type == ud)
            WriteAddress(scene, device, slot, choices);
        WriteEntries(device, slot[SendWqeHead.Size..], count, choices);
    }

    private static void WriteAddress(Scene scene, Device device, Span<byte> slot, Choices choices)
    {
        var wqe = MemoryMarshal.Read<DatagramWqe>(slot);
        wqe.RemoteQpn = QueuePairSteps.SomeNumber(scene, choices);
        wqe.RemoteQkey = choices.Mostly(QueuePairSteps.Qkey, QueuePairSteps.Qkey, 0x80000000);
        wqe.AhNumber = choices.OneIn(16) ? (uint)choices.Edge() : device.Objects.Any(Kind.AddressHandle, choices)?.Number ?? 0;
        wqe.Dgid = ObjectSteps.SomeGid(choices);
        wqe.SgidIndex = choices.MostlyByte(0, 0, 1);
        MemoryMarshal.Write(slot, wqe);
    }

    private static uint SgeCount(Choices choices) => choices.Mostly(1, 1, 1, 2, 4, 0, 5);

    private static void WriteEntries(Device device, Span<byte> into, uint count, Choices choices)
    {
        for (var at = 0; at < Math.Min(count, 8) && (at + 1) * 16 <= into.Length; at++)
        {
            var region = device.Objects.Any(Kind.Region, choices);
            var start = region?.Start ?? Arena.Start;
            MemoryMarshal.Write(into[(at * 16)..], new ScatterGatherEntry
            {
                Address = choices.OneIn(16) ? choices.Edge() : start + choices.Next(4096),
                Length = choices.OneIn(16) ? (uint)choices.Edge() : (uint)choices.Next(choices.Of<ulong>(64, 8, 4096, 32768)),
                LocalKey = choices.OneIn(24) ? (uint)choices.Edge() : region?.LocalKey ?? 0,
            });
        }
    }

    /// <summary>A key and an address for a peer: of a region or window of whichever connection.</summary>
    private static (uint Key, ulong Address) SomeRemote(Scene scene, Choices choices)
    {
        var all = scene.Devices.SelectMany(device => device.Objects.Of(Kind.Region).Concat(device.Objects.Of(Kind.Window))).ToList();
        var target = all.Count > 0 ? all[choices.Below(all.Count)] : null;
        var key = choices.OneIn(24) ? (uint)choices.Edge() : target is null ? 0 : target.RemoteKey != 0 ? target.RemoteKey : target.LocalKey;
        var start = target is { Start: not 0 } ? target.Start : Arena.Start;
        return (key, choices.OneIn(24) ? choices.Edge() : start + (choices.Next(512) * 8));
    }
}
