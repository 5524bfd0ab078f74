using Freeflow.Fuzz.Channel;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;
using Microsoft.Win32.SafeHandles;
using System.Runtime.InteropServices;

namespace Freeflow.Fuzz.Steps;

/// <summary>Commands on completion channels, CQs and SRQs.</summary>
internal static class QueueSteps
{
    private static readonly int s_place = Marshal.SizeOf<MmapInfo>();

    public static void CreateChannel(Scene scene, Choices choices) =>
        ObjectSteps.Ready(scene, choices).Command(Commands.Plain(UverbsCommand.CreateCompChannel, new CreateCompChannelCommand(), 4), choices);

    public static void CreateCq(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        IReadOnlyList<SafeFileHandle> descriptors = [];
        var channel = -1;
        if (device.Channels.Count > 0 && choices.OneIn(2))
            (descriptors, channel) = ([device.Channels[choices.Below(device.Channels.Count)]], 5);
        var entries = choices.Mostly(15, 63, 1, 200, 1000);
        var command = choices.OneIn(3)
            ? Commands.Extended(
                UverbsCommand.CreateCq,
                new ExCreateCqCommand { UserHandle = choices.Next(4), Entries = entries, CompChannel = channel, CompVector = choices.Mostly(0, 0, 0), Flags = choices.Mostly(0, 0, 0) },
                Marshal.SizeOf<ExCreateCqResponse>(), s_place)
            : Commands.Plain(
                UverbsCommand.CreateCq, new CreateCqCommand { UserHandle = choices.Next(4), Entries = entries, CompChannel = channel },
                Marshal.SizeOf<CreateCqResponse>() + s_place);
        device.Command(command, choices, descriptors);
    }

    public static void ResizeCq(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.ResizeCq, new ResizeCqCommand
            {
                CqHandle = scene.Handle(device, Kind.CompletionQueue, choices), Entries = choices.Mostly(31, 1, 127, 500, 7),
            }, Marshal.SizeOf<ResizeCqResponse>() + s_place),
            choices);
    }

    public static void DestroyCq(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.DestroyCq, new DestroyCqCommand { CqHandle = scene.Handle(device, Kind.CompletionQueue, choices) }, Marshal.SizeOf<DestroyCqResponse>()),
            choices);
    }

    public static void NotifyCq(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var handle = scene.Handle(device, Kind.CompletionQueue, choices);
        device.Arm(handle, choices.Mostly(2, 1, 0));
        if (choices.OneIn(4))
            device.Command(Commands.Plain(UverbsCommand.ReqNotifyCq, new ReqNotifyCqCommand { CqHandle = handle }, 0), choices);
    }

    public static void CreateSrq(Scene scene, Choices choices)
    {
        var device = ObjectSteps.WithDomain(scene, choices);
        var (domain, requests, entries) = (scene.Handle(device, Kind.Domain, choices), choices.Mostly(16, 1, 100), choices.Mostly(1, 4, 0));
        var room = Marshal.SizeOf<CreateSrqResponse>() + Marshal.SizeOf<CreateSrqDriverResponse>();
        var command = choices.OneIn(4)
            ? Commands.Plain(UverbsCommand.CreateXsrq, new CreateXsrqCommand
            {
                PdHandle = domain, MaxWr = requests, MaxSge = entries, SrqLimit = choices.Mostly(0, 4), SrqType = (SharedReceiveQueueType)choices.Mostly(0, 1, 2),
                CqHandle = scene.Handle(device, Kind.CompletionQueue, choices),
            }, room)
            : Commands.Plain(UverbsCommand.CreateSrq, new CreateSrqCommand { PdHandle = domain, MaxWr = requests, MaxSge = entries, SrqLimit = choices.Mostly(0, 4) }, room);
        device.Command(command, choices);
    }

    public static void ModifySrq(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var driver = new ModifySrqDriverCommand { MmapInfoAddress = choices.OneIn(4) ? choices.Edge() : Arena.SlotAt(choices.Below(Arena.Slots)) };
        device.Command(
            Commands.Plain(
                UverbsCommand.ModifySrq,
                new ModifySrqCommand
                {
                    SrqHandle = scene.Handle(device, Kind.SharedQueue, choices),
                    AttrMask = (SharedReceiveQueueAttributes)choices.Mostly(1, 2, 3),
                    MaxWr = choices.Mostly(32, 1, 200),
                    SrqLimit = choices.Mostly(1, 8, 0),
                },
                0, MemoryMarshal.AsBytes(new ReadOnlySpan<ModifySrqDriverCommand>(in driver))),
            choices);
    }

    public static void QuerySrq(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.QuerySrq, new QuerySrqCommand { SrqHandle = scene.Handle(device, Kind.SharedQueue, choices) }, Marshal.SizeOf<QuerySrqResponse>()), choices);
    }

    public static void DestroySrq(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.DestroySrq, new DestroySrqCommand { SrqHandle = scene.Handle(device, Kind.SharedQueue, choices) }, Marshal.SizeOf<DestroySrqResponse>()), choices);
    }
}
