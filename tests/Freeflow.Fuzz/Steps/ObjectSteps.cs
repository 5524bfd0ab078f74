using Freeflow.Fuzz.Channel;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;
using System.Net;
using System.Runtime.InteropServices;

namespace Freeflow.Fuzz.Steps;

/// <summary>Commands on the device and on what has no ring: PDs, regions, windows, address handles.</summary>
internal static class ObjectSteps
{
    private static readonly IPAddress s_nobody = IPAddress.Parse("10.244.9.9");

    public static void Context(Scene scene, Choices choices) =>
        scene.Device(choices).Command(Commands.Plain(UverbsCommand.GetContext, new GetContextCommand(), 8), choices);

    /// <summary>The device, with a context where it had none yet.</summary>
    public static Device Ready(Scene scene, Choices choices)
    {
        var isFirst = scene.Devices.Count == 0;
        var device = scene.Device(choices);
        if (isFirst)
            device.Command(Commands.Plain(UverbsCommand.GetContext, new GetContextCommand(), 8));
        return device;
    }

    public static void QueryDevice(Scene scene, Choices choices)
    {
        var device = Ready(scene, choices);
        var command = choices.OneIn(2)
            ? Commands.Extended(UverbsCommand.QueryDevice, new ExQueryDeviceCommand { CompMask = choices.Mostly(0, 0, 1) }, 8 * choices.Below(60))
            : Commands.Plain(UverbsCommand.QueryDevice, new QueryDeviceCommand(), Marshal.SizeOf<QueryDeviceResponse>());
        device.Command(command, choices);
    }

    public static void QueryPort(Scene scene, Choices choices) =>
        Ready(scene, choices).Command(
            Commands.Plain(UverbsCommand.QueryPort, new QueryPortCommand { PortNum = choices.MostlyByte(1) }, Marshal.SizeOf<QueryPortResponse>()), choices);

    public static void AllocPd(Scene scene, Choices choices) =>
        Ready(scene, choices).Command(Commands.Plain(UverbsCommand.AllocPd, new AllocPdCommand(), 4), choices);

    public static void DeallocPd(Scene scene, Choices choices)
    {
        var device = Ready(scene, choices);
        device.Command(Commands.Plain(UverbsCommand.DeallocPd, new DeallocPdCommand { PdHandle = scene.Handle(device, Kind.Domain, choices) }, 0), choices);
    }

    public static void RegMr(Scene scene, Choices choices)
    {
        var device = WithDomain(scene, choices);
        var start = Arena.SlotAt(choices.Below(Arena.Slots)) + (choices.OneIn(4) ? choices.Next(Arena.SlotBytes) : 0);
        var length = choices.Below(8) switch
        {
            < 4 => Arena.SlotBytes / 2,
            4 => choices.Next(Arena.SlotBytes),
            5 => Arena.SlotBytes,
            6 => choices.Next(64),
            _ => choices.Edge(),
        };
        device.Command(
            Commands.Plain(UverbsCommand.RegMr, new RegMrCommand
            {
                Start = start,
                Length = length,
                HcaVa = choices.OneIn(8) ? choices.Edge() : start,
                PdHandle = scene.Handle(device, Kind.Domain, choices),
                AccessFlags = choices.Mostly(0xf, 0x1f, 0x7, 0x1, 0),
            }, Marshal.SizeOf<RegMrResponse>()),
            choices);
    }

    public static void ReregMr(Scene scene, Choices choices)
    {
        var device = Ready(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.ReregMr, new ReregMrCommand
            {
                MrHandle = scene.Handle(device, Kind.Region, choices),
                Flags = (ReregistrationFlags)choices.Mostly(2, 4, 6, 1, 7),
                Start = Arena.SlotAt(choices.Below(Arena.Slots)),
                Length = choices.Next(Arena.SlotBytes),
                HcaVa = Arena.SlotAt(choices.Below(Arena.Slots)),
                PdHandle = scene.Handle(device, Kind.Domain, choices),
                AccessFlags = choices.Mostly(0xf, 0x1, 0, 0x2),
            }, Marshal.SizeOf<ReregMrResponse>()),
            choices);
    }

    public static void DeregMr(Scene scene, Choices choices)
    {
        var device = Ready(scene, choices);
        device.Command(Commands.Plain(UverbsCommand.DeregMr, new DeregMrCommand { MrHandle = scene.Handle(device, Kind.Region, choices) }, 0), choices);
    }

    public static void AllocMw(Scene scene, Choices choices)
    {
        var device = WithDomain(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.AllocMw, new AllocMwCommand
            {
                PdHandle = scene.Handle(device, Kind.Domain, choices), MwType = (MemoryWindowType)choices.MostlyByte(2, 1),
            }, Marshal.SizeOf<AllocMwResponse>()),
            choices);
    }

    public static void DeallocMw(Scene scene, Choices choices)
    {
        var device = Ready(scene, choices);
        device.Command(Commands.Plain(UverbsCommand.DeallocMw, new DeallocMwCommand { MwHandle = scene.Handle(device, Kind.Window, choices) }, 0), choices);
    }

    public static void CreateAh(Scene scene, Choices choices)
    {
        var device = WithDomain(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.CreateAh, new CreateAhCommand
            {
                PdHandle = scene.Handle(device, Kind.Domain, choices),
                Attributes = new AddressAttributes
                {
                    Dgid = SomeGid(choices), SgidIndex = choices.MostlyByte(0, 0, 1), HopLimit = 64, IsGlobal = choices.MostlyByte(1), PortNum = choices.MostlyByte(1),
                },
            }, Marshal.SizeOf<CreateAhResponse>()),
            choices);
    }

    public static void DestroyAh(Scene scene, Choices choices)
    {
        var device = Ready(scene, choices);
        device.Command(Commands.Plain(UverbsCommand.DestroyAh, new DestroyAhCommand { AhHandle = scene.Handle(device, Kind.AddressHandle, choices) }, 0), choices);
    }

    /// <summary>Any command at all, with nothing sensible in it.</summary>
    public static void Noise(Scene scene, Choices choices)
    {
        var bytes = new byte[8 + (4 * choices.Below(60))];
        MemoryMarshal.Write(bytes, new CommandHeader
        {
            Command = (uint)choices.Below(64) | (choices.OneIn(3) ? UverbsCommandFlags.Extended : 0),
            InWords = (ushort)(bytes.Length / 4),
            OutWords = (ushort)choices.Below(80),
        });
        for (var at = 8; at < bytes.Length; at += 4)
            MemoryMarshal.Write(bytes.AsSpan(at), choices.OneIn(3) ? (uint)choices.Edge() : (uint)choices.Below(4));
        Ready(scene, choices).Command(bytes, choices);
    }

    /// <summary>The container's own address, mostly; else a group, or one that nobody has: the router looks for that for two seconds.</summary>
    public static Gid SomeGid(Choices choices) => choices.Below(256) switch
    {
        < 230 => Scene.OwnGid,
        < 254 => Group(choices),
        254 => default,
        _ => Gid.FromAddress(s_nobody),
    };

    public static Gid Group(Choices choices) => Gid.FromAddress(IPAddress.Parse($"239.1.1.{choices.Below(3)}"));

    public static Device WithDomain(Scene scene, Choices choices)
    {
        var device = Ready(scene, choices);
        if (device.Objects.Of(Kind.Domain).Count == 0)
            device.Command(Commands.Plain(UverbsCommand.AllocPd, new AllocPdCommand(), 4));
        return device;
    }
}
