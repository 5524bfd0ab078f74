using System.Runtime.InteropServices;
using Freeflow.Fuzz.Channel;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;

namespace Freeflow.Fuzz.Steps;

/// <summary>Commands on QPs.</summary>
internal static class QueuePairSteps
{
    public const uint Qkey = 0x11111111;

    private static readonly int s_places = 2 * Marshal.SizeOf<MmapInfo>();

    public static void Create(Scene scene, Choices choices)
    {
        var device = ObjectSteps.WithDomain(scene, choices);
        if (device.Objects.Of(Kind.CompletionQueue).Count == 0)
        {
            device.Command(Commands.Plain(
                UverbsCommand.CreateCq, new CreateCqCommand { Entries = 127, CompChannel = -1 }, Marshal.SizeOf<CreateCqResponse>() + Marshal.SizeOf<MmapInfo>()));
        }

        var shared = device.Objects.Of(Kind.SharedQueue).Count > 0 && choices.OneIn(3);
        var core = new CreateQpCommand
        {
            UserHandle = choices.Next(8),
            PdHandle = scene.Handle(device, Kind.Domain, choices),
            SendCqHandle = scene.Handle(device, Kind.CompletionQueue, choices),
            RecvCqHandle = scene.Handle(device, Kind.CompletionQueue, choices),
            SrqHandle = shared ? scene.Handle(device, Kind.SharedQueue, choices) : 0,
            MaxSendWr = choices.Mostly(16, 1, 64),
            MaxRecvWr = choices.Mostly(16, 1, 64),
            MaxSendSge = choices.Mostly(1, 4, 0, 32),
            MaxRecvSge = choices.Mostly(1, 4, 0, 32),
            MaxInlineData = choices.Mostly(64, 0, 256),
            SqSigAll = (byte)choices.Below(2),
            QpType = choices.MostlyByte(2, 2, 2, 3, 4),
            IsSrq = shared ? (byte)1 : (byte)0,
        };
        var command = Commands.Plain(UverbsCommand.CreateQp, core, Marshal.SizeOf<CreateQpResponse>() + s_places);
        if (choices.OneIn(4))
        {
            var extended = default(ExCreateQpCommand);
            MemoryMarshal.AsBytes(new ReadOnlySpan<CreateQpCommand>(in core))[sizeof(ulong)..].CopyTo(MemoryMarshal.AsBytes(new Span<ExCreateQpCommand>(ref extended)));
            command = Commands.Extended(UverbsCommand.CreateQp, extended, Marshal.SizeOf<ExCreateQpResponse>(), s_places);
        }

        device.Command(command, choices);
    }

    public static void Query(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.QueryQp, new QueryQpCommand
            {
                QpHandle = scene.Handle(device, Kind.QueuePair, choices), AttrMask = choices.Mostly(0xfffff, 1),
            }, Marshal.SizeOf<QueryQpResponse>()),
            choices);
    }

    public static void Modify(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var command = new ModifyQpCommand
        {
            Dest = Towards(ObjectSteps.SomeGid(choices)),
            QpHandle = scene.Handle(device, Kind.QueuePair, choices),
            AttrMask = choices.Mostly(1, 1, 1, 0x1f0f0 >> 4, 1 << 3, (1 << 19) | 1, 1 << 6, 0x1fffff, 1 | (1 << 2)),
            QpState = choices.MostlyByte(6, 0, 4, 3, 1, 2, 5),
            CurQpState = choices.MostlyByte(3, 0, 6),
            EnSqdAsyncNotify = (byte)choices.Below(2),
            Qkey = Qkey,
            QpAccessFlags = choices.Mostly(0xf, 0),
            PortNum = choices.MostlyByte(1),
            DestQpNum = SomeNumber(scene, choices),
            PathMtu = choices.MostlyByte(3, 5),
            Timeout = (byte)choices.Below(40),
            RetryCnt = (byte)choices.Below(10),
            RnrRetry = (byte)choices.Below(10),
            MinRnrTimer = (byte)choices.Below(40),
            MaxRdAtomic = choices.MostlyByte(1, 16, 0, 128),
            MaxDestRdAtomic = choices.MostlyByte(1, 16, 0, 128),
        };
        device.Command(Wrap(command, choices.OneIn(3)), choices);
    }

    /// <summary>What most of the other steps need: two QPs that talk to each other, with everything that belongs to it.</summary>
    public static void Prepare(Scene scene, Choices choices)
    {
        const uint all = 0x1f;
        var device = ObjectSteps.WithDomain(scene, choices);
        if (device.Objects.Of(Kind.Domain) is not [var first, ..])
            return;
        var domain = first.Handle;
        for (var slot = 0; slot < 2; slot++)
        {
            var start = Arena.SlotAt(slot);
            device.Command(Commands.Plain(
                UverbsCommand.RegMr, new RegMrCommand { Start = start, Length = Arena.SlotBytes / 2, HcaVa = start, PdHandle = domain, AccessFlags = all },
                Marshal.SizeOf<RegMrResponse>()));
        }

        device.Command(Commands.Plain(UverbsCommand.AllocMw, new AllocMwCommand { PdHandle = domain, MwType = MemoryWindowType.Type2 }, Marshal.SizeOf<AllocMwResponse>()));
        device.Command(Commands.Plain(
            UverbsCommand.CreateCq, new CreateCqCommand { Entries = 127, CompChannel = -1 }, Marshal.SizeOf<CreateCqResponse>() + Marshal.SizeOf<MmapInfo>()));
        device.Command(Commands.Plain(UverbsCommand.CreateAh, new CreateAhCommand
        {
            PdHandle = domain,
            Attributes = new AddressAttributes { Dgid = Scene.OwnGid, SgidIndex = 0, HopLimit = 64, IsGlobal = 1, PortNum = 1 },
        }, Marshal.SizeOf<CreateAhResponse>()));
        if (device.Objects.Of(Kind.CompletionQueue) is not [.., var completions])
            return;
        var command = new CreateQpCommand
        {
            PdHandle = domain, SendCqHandle = completions.Handle, RecvCqHandle = completions.Handle, MaxSendWr = 32, MaxRecvWr = 32, MaxSendSge = 4, MaxRecvSge = 4,
            MaxInlineData = 64, QpType = choices.Of<byte>(2, 2, 3, 4), SqSigAll = (byte)choices.Below(2),
        };
        for (var made = 0; made < 2; made++)
            device.Command(Commands.Plain(UverbsCommand.CreateQp, command, Marshal.SizeOf<CreateQpResponse>() + s_places));
        if (device.Objects.Of(Kind.QueuePair) is not [.., var one, var two])
            return;
        Climb(device, one, two.Number, 14, 7);
        Climb(device, two, one.Number, 14, 7);
    }

    /// <summary>Takes a QP to RTS as an application does: to another one of the process, of whichever connection, or to itself.</summary>
    public static void Connect(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var other = scene.Devices[choices.Below(scene.Devices.Count)];
        if (device.Objects.Any(Kind.QueuePair, choices) is not { } one || other.Objects.Any(Kind.QueuePair, choices) is not { } two)
            return;
        var (timeout, retries) = (choices.MostlyByte(8, 14, 1, 0), (byte)choices.Below(8));
        Climb(device, one, two.Number, timeout, retries);
        if (one != two && !choices.OneIn(8))
            Climb(other, two, one.Number, timeout, retries);
    }

    public static void Destroy(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        device.Command(
            Commands.Plain(UverbsCommand.DestroyQp, new DestroyQpCommand { QpHandle = scene.Handle(device, Kind.QueuePair, choices) }, Marshal.SizeOf<DestroyQpResponse>()), choices);
    }

    public static void Attach(Scene scene, Choices choices) => ChangeGroup(scene, choices, UverbsCommand.AttachMcast);

    public static void Detach(Scene scene, Choices choices) => ChangeGroup(scene, choices, UverbsCommand.DetachMcast);

    /// <summary>The number of some QP, of whichever connection.</summary>
    public static uint SomeNumber(Scene scene, Choices choices)
    {
        var all = scene.Devices.SelectMany(device => device.Objects.Of(Kind.QueuePair)).ToList();
        var at = choices.Below((all.Count * 4) + 1);
        return at < all.Count * 4 ? all[at % all.Count].Number : choices.OneIn(2) ? (uint)choices.Edge() : (uint)choices.Below(4096);
    }

    private static void ChangeGroup(Scene scene, Choices choices, UverbsCommand command)
    {
        var device = ObjectSteps.Ready(scene, choices);
        device.Command(
            Commands.Plain(command, new MulticastCommand
            {
                Group = choices.OneIn(16) ? ObjectSteps.SomeGid(choices) : ObjectSteps.Group(choices),
                QpHandle = scene.Handle(device, Kind.QueuePair, choices),
                Mlid = (ushort)(choices.OneIn(4) ? 0xc001 : 0),
            }, 0),
            choices);
    }

    /// <summary>RESET, INIT, RTR, RTS. What is refused on the way is no matter.</summary>
    private static void Climb(Device device, DeviceObject pair, uint remote, byte timeout, byte retries)
    {
        const byte ud = 4;
        var isDatagram = pair.Type == ud;
        var isReliable = pair.Type == 2;
        var command = new ModifyQpCommand
        {
            Dest = Towards(Scene.OwnGid),
            QpHandle = pair.Handle,
            DestQpNum = remote,
            Qkey = Qkey,
            QpAccessFlags = 0xf,
            PathMtu = 3,
            PortNum = 1,
            Timeout = timeout,
            RetryCnt = retries,
            RnrRetry = retries,
            MinRnrTimer = 1,
            MaxRdAtomic = 4,
            MaxDestRdAtomic = 4,
        };
        foreach (var state in new byte[] { 0, 1, 2, 3 })
        {
            command.QpState = state;
            command.AttrMask = (uint)QueuePairAttributes.State | (uint)(state switch
            {
                1 => QueuePairAttributes.PkeyIndex | QueuePairAttributes.Port | (isDatagram ? QueuePairAttributes.Qkey : QueuePairAttributes.AccessFlags),
                2 when !isDatagram => QueuePairAttributes.AddressVector | QueuePairAttributes.PathMtu | QueuePairAttributes.DestinationQpn | QueuePairAttributes.RqPsn
                    | (isReliable ? QueuePairAttributes.MaxDestRdAtomic | QueuePairAttributes.MinRnrTimer : 0),
                3 => QueuePairAttributes.SqPsn
                    | (isReliable ? QueuePairAttributes.Timeout | QueuePairAttributes.RetryCount | QueuePairAttributes.RnrRetry | QueuePairAttributes.MaxQpRdAtomic : 0),
                _ => QueuePairAttributes.None,
            });
            device.Command(Wrap(command, isExtended: false));
        }
    }

    private static byte[] Wrap(in ModifyQpCommand command, bool isExtended) => isExtended
        ? Commands.Extended(UverbsCommand.ModifyQp, new ExModifyQpCommand { Base = command }, Marshal.SizeOf<ExModifyQpResponse>())
        : Commands.Plain(UverbsCommand.ModifyQp, command, 0);

    private static QpDestination Towards(in Gid gid) => new() { Dgid = gid, SgidIndex = 0, HopLimit = 64, IsGlobal = 1, PortNum = 1 };
}
