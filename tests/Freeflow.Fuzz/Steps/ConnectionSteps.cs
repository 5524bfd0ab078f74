using System.Runtime.InteropServices;
using Freeflow.Fuzz.Channel;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Channel;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Fuzz.Steps;

/// <summary>What is said to the router outside of commands.</summary>
internal static class ConnectionSteps
{
    public static void Open(Scene scene, Choices choices)
    {
        if (scene.Devices.Count >= Scene.MaximumDevices)
            return;
        var device = Device.Open(scene);
        scene.Devices.Add(device);
        if (!choices.OneIn(8))
            device.Command(Commands.Plain(UverbsCommand.GetContext, new GetContextCommand(), 8));
    }

    public static void Drop(Scene scene, Choices choices)
    {
        if (scene.Devices.Count > 0)
            Forget(scene, scene.Devices[choices.Below(scene.Devices.Count)]);
    }

    /// <summary>Several commands before the first answer is read: they are answered in their order.</summary>
    public static void Pipeline(Scene scene, Choices choices)
    {
        var device = ObjectSteps.WithDomain(scene, choices);
        var commands = new List<(uint Sequence, byte[] Bytes)>();
        for (var left = choices.Below(40); left >= 0; left--)
        {
            var bytes = Slow(device, scene, choices);
            if (!device.Channel.Send(ShimMessageType.Command, bytes))
                throw new FindingException("the router has closed a connection that pipelined its commands");
            commands.Add((device.Channel.Sequence, bytes));
        }

        foreach (var (sequence, bytes) in commands)
        {
            using var answer = device.Expect(ShimMessageType.Command);
            if (answer.Header.Sequence != sequence)
                throw new FindingException($"answer {answer.Header.Sequence} came where {sequence} was due");
            if (answer.Errno == 0)
                device.NoteLater(bytes, answer);
        }

        device.NoteNow();
    }

    /// <summary>Commands, some of which take their time, and the end before any answer.</summary>
    public static void DropMidway(Scene scene, Choices choices)
    {
        var device = ObjectSteps.WithDomain(scene, choices);
        for (var left = choices.Below(20); left >= 0; left--)
            device.Channel.Send(ShimMessageType.Command, Slow(device, scene, choices));
        Forget(scene, device);
    }

    /// <summary>Messages of the wrong kind on an open device. They are refused, or nothing.</summary>
    public static void WrongMessage(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var type = choices.Of(ShimMessageType.Hello, ShimMessageType.Listen, ShimMessageType.Resolve, ShimMessageType.Mmap, ShimMessageType.Share, ShimMessageType.Command);
        var payload = new byte[choices.Below(64)];
        for (var at = 0; at < payload.Length; at++)
            payload[at] = choices.OneIn(4) ? (byte)choices.Next(256) : (byte)0;
        if (payload.Length >= 16 && type == ShimMessageType.Share)
            MemoryMarshal.Write(payload, Arena.Tame(MemoryMarshal.Read<ulong>(payload), MemoryMarshal.Read<ulong>(payload.AsSpan(8))));
        if (type == ShimMessageType.Command)
        {
            device.Command(payload);
            return;
        }

        device.Channel.Send(type, payload);
        using var answer = device.Expect(type, device.Channel.Sequence);
        scene.Saw($"message {type} {answer.Errno}");
    }

    /// <summary>What ends a connection by the protocol's own rules: only this one ends.</summary>
    public static void EndedConnection(Scene scene, Choices choices)
    {
        using var channel = new RouterChannel();
        var bytes = new byte[choices.Below(200)];
        for (var at = 0; at < bytes.Length; at++)
            bytes[at] = (byte)choices.Next(256);
        switch (choices.Below(4))
        {
            case 0:
                channel.SendRaw(bytes);
                break;
            case 1:
                channel.Send(ShimMessageType.Command, bytes);
                break;
            case 2:
                channel.Send((ShimMessageType)choices.Next(65536), bytes);
                break;
            default:
                var hello = new ShimHello { Version = choices.Mostly(1, 1), Kind = (ShimConnectionKind)choices.Mostly(4, 1, 3, 2) };
                channel.Send(ShimMessageType.Hello, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimHello>(in hello)));
                for (var left = choices.Below(300); left >= 0 && channel.Send(ShimMessageType.Command, bytes); left--)
                {
                }

                break;
        }
    }

    /// <summary>Descriptors that are not what they should be, beside commands that take one.</summary>
    public static void WrongDescriptors(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        using var some = File.OpenHandle(choices.Of("/dev/null", "/proc/self/maps", "/proc/self/mem", "/etc/hostname"));
        IReadOnlyList<SafeFileHandle> descriptors = choices.OneIn(2) ? [some] : [some, some, some];
        device.Command(
            Commands.Plain(UverbsCommand.CreateCq, new CreateCqCommand { Entries = 15, CompChannel = 3 }, Marshal.SizeOf<CreateCqResponse>() + Marshal.SizeOf<MmapInfo>()), descriptors);
        scene.Manager(choices).Command(
            Commands.OfManager(Verbs.Abi.ConnectionManager.RdmaCmCommand.MigrateId, new Verbs.Abi.ConnectionManager.MigrateIdCommand { Id = (uint)choices.Below(4) }, 4), descriptors);
    }

    public static void Map(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var request = new ShimMmap { Offset = choices.OneIn(2) ? choices.Edge() : choices.Next(64) * 4096, Length = choices.OneIn(2) ? choices.Edge() : 4096 };
        device.Channel.Send(ShimMessageType.Mmap, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimMmap>(in request)));
        using var answer = device.Expect(ShimMessageType.Mmap, device.Channel.Sequence);
        scene.Saw($"map {answer.Errno}");
    }

    private static void Forget(Scene scene, Device device)
    {
        scene.Storm.Over([]);
        scene.Devices.Remove(device);
        device.Dispose();
    }

    private static byte[] Slow(Device device, Scene scene, Choices choices) => choices.Below(5) switch
    {
        0 => Commands.Plain(UverbsCommand.AllocPd, new AllocPdCommand(), 4),
        1 => Commands.Plain(UverbsCommand.RegMr, new RegMrCommand
        {
            Start = Arena.SlotAt(choices.Below(Arena.Slots)), Length = 4096, HcaVa = 0, PdHandle = scene.Handle(device, Kind.Domain, choices), AccessFlags = 1,
        }, Marshal.SizeOf<RegMrResponse>()),
        2 => Commands.Plain(UverbsCommand.DestroyQp, new DestroyQpCommand { QpHandle = scene.Handle(device, Kind.QueuePair, choices) }, Marshal.SizeOf<DestroyQpResponse>()),
        3 => Commands.Plain(UverbsCommand.DeregMr, new DeregMrCommand { MrHandle = scene.Handle(device, Kind.Region, choices) }, 0),
        _ => Commands.Plain(UverbsCommand.CreateCq, new CreateCqCommand { Entries = 7, CompChannel = -1 }, Marshal.SizeOf<CreateCqResponse>() + Marshal.SizeOf<MmapInfo>()),
    };
}
