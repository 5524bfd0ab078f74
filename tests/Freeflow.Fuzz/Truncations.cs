using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Freeflow.Fuzz.Channel;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;
using Freeflow.Fuzz.Steps;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Fuzz;

/// <summary>
/// Every command at every length and with every room for its response: whatever is too short for the kernel is refused, all is
/// answered, and the whole command then succeeds.
/// </summary>
internal sealed class Truncations : IDisposable
{
    private const int Word = 4;

    private readonly Arena _arena = new();

    public List<string> Findings { get; } = [];

    public int Tried { get; private set; }

    public int Kinds { get; private set; }

    public void Run()
    {
        foreach (var (name, make, atLeast, room) in DeviceCommands())
            Try(name, scene => TryDevice(scene, name, make, atLeast, room));
        foreach (var (name, make, shorter) in ManagerCommands())
            Try(name, scene => TryManager(scene, name, make, shorter));
    }

    public void Dispose() => _arena.Dispose();

    private void Try(string name, Action<Scene> run)
    {
        Kinds++;
        using var scene = new Scene(_arena, [], 1);
        try
        {
            run(scene);
        }
        catch (FindingException finding)
        {
            Findings.Add($"{name}: {finding.Message}");
        }
    }

    private void TryDevice(Scene scene, string name, Func<Device, byte[]> make, int atLeast, int leastRoom)
    {
        QueuePairSteps.Prepare(scene, new Choices([]));
        QueueSteps.CreateSrq(scene, new Choices([]));
        var device = scene.Devices[0];
        var whole = make(device);
        var isExtended = (MemoryMarshal.Read<uint>(whole) & UverbsCommandFlags.Extended) != 0;
        var (head, unit) = isExtended ? (Commands.ExtendedHeaderBytes, 8) : (0, Word);
        for (var length = 0; length < whole.Length; length++)
        {
            // Once with a header that says so, once with that of the whole.
            var cut = whole[..length];
            Refused(name, length, device.Command(cut));
            if (length >= Commands.HeaderBytes && length >= head)
            {
                MemoryMarshal.Write(cut.AsSpan(Word), (ushort)((length - head) / unit));
                var errno = device.Command(cut);
                if (length < atLeast || (length - head) % unit != 0)
                    Refused(name, length, errno);
            }
        }

        for (var room = 0; room < leastRoom; room += unit)
        {
            var cramped = whole.ToArray();
            MemoryMarshal.Write(cramped.AsSpan(6), (ushort)(room / unit));
            if (device.Command(cramped) == 0)
                Findings.Add($"{name} with room for {room} bytes of response succeeded");
            Tried++;
        }

        Tried++;
        whole = make(device);
        if (device.Command(whole) is var refusal and not 0)
            Findings.Add($"{name}, whole and sound, was refused: errno {refusal}");
    }

    private void TryManager(Scene scene, string name, Func<uint, byte[]> make, int shorter)
    {
        var manager = scene.Manager(new Choices([]));
        manager.Command(Commands.OfManager(RdmaCmCommand.CreateId, new CreateIdCommand { Ps = PortSpace.Tcp, QpType = 2 }, 4));
        var whole = make(manager.Ids[0]);
        for (var length = 0; length < whole.Length; length++)
        {
            var cut = whole[..length];
            Refused(name, length, manager.Command(cut).Errno);
            if (length < Commands.HeaderBytes)
                continue;
            MemoryMarshal.Write(cut.AsSpan(Word), (ushort)(length - Commands.HeaderBytes));
            var (errno, _) = manager.Command(cut);
            if (length < whole.Length - shorter)
                Refused(name, length, errno);
        }

        Tried++;
        manager.Command(whole);
    }

    private void Refused(string name, int length, int errno)
    {
        Tried++;
        if (errno == 0)
            Findings.Add($"{name} of {length} bytes succeeded");
    }

    /// <summary>Each with the least bytes that the kernel takes, and the least room that it wants for the response.</summary>
    private static IEnumerable<(string Name, Func<Device, byte[]> Make, int AtLeast, int Room)> DeviceCommands()
    {
        var place = Marshal.SizeOf<MmapInfo>();
        static uint Of(Device device, Kind kind) => device.Objects.Of(kind)[0].Handle;

        (string, Func<Device, byte[]>, int, int) Plain<T>(UverbsCommand command, Func<Device, T> body, int room = 0, int driver = 0)
            where T : struct =>
            ($"{command}", device => Commands.Plain(command, body(device), room + driver), Commands.HeaderBytes + Unsafe.SizeOf<T>(), room);

        (string, Func<Device, byte[]>, int, int) Extended<T>(UverbsCommand command, Func<Device, T> body, int atLeast, int room, int driver = 0)
            where T : struct =>
            ($"extended {command}", device => Commands.Extended(command, body(device), room, driver), Commands.ExtendedHeaderBytes + atLeast, room);

        CreateQpCommand Pair(Device device) => new()
        {
            PdHandle = Of(device, Kind.Domain), SendCqHandle = Of(device, Kind.CompletionQueue), RecvCqHandle = Of(device, Kind.CompletionQueue), MaxSendWr = 4, MaxRecvWr = 4,
            MaxSendSge = 1, MaxRecvSge = 1, QpType = 2,
        };
        ModifyQpCommand Reset(Device device) => new() { QpHandle = device.Objects.Of(Kind.QueuePair)[0].Handle, AttrMask = 1 };

        yield return Plain(UverbsCommand.QueryDevice, _ => new QueryDeviceCommand(), Marshal.SizeOf<QueryDeviceResponse>());
        yield return Extended(UverbsCommand.QueryDevice, _ => new ExQueryDeviceCommand(), 8, 184);
        yield return Plain(UverbsCommand.QueryPort, _ => new QueryPortCommand { PortNum = 1 }, Marshal.SizeOf<QueryPortResponse>());
        yield return Plain(UverbsCommand.AllocPd, _ => new AllocPdCommand(), 4);
        yield return Plain(UverbsCommand.CreateAh, device => new CreateAhCommand
        {
            PdHandle = Of(device, Kind.Domain),
            Attributes = new AddressAttributes { Dgid = Scene.OwnGid, HopLimit = 64, IsGlobal = 1, PortNum = 1 },
        }, 4, 8);
        yield return Plain(UverbsCommand.DestroyAh, device => new DestroyAhCommand { AhHandle = Of(device, Kind.AddressHandle) });
        yield return Plain(UverbsCommand.RegMr, device => new RegMrCommand
        {
            Start = Arena.Start, Length = 4096, HcaVa = Arena.Start, PdHandle = Of(device, Kind.Domain), AccessFlags = 1,
        }, Marshal.SizeOf<RegMrResponse>());
        yield return Plain(UverbsCommand.ReregMr, device => new ReregMrCommand
        {
            MrHandle = Of(device, Kind.Region), Flags = ReregistrationFlags.Access, AccessFlags = 1,
        }, Marshal.SizeOf<ReregMrResponse>());
        yield return Plain(UverbsCommand.DeregMr, device => new DeregMrCommand { MrHandle = Of(device, Kind.Region) });
        yield return Plain(UverbsCommand.AllocMw, device => new AllocMwCommand { PdHandle = Of(device, Kind.Domain), MwType = MemoryWindowType.Type2 }, Marshal.SizeOf<AllocMwResponse>());
        yield return Plain(UverbsCommand.DeallocMw, device => new DeallocMwCommand { MwHandle = Of(device, Kind.Window) });
        yield return Plain(UverbsCommand.CreateCompChannel, _ => new CreateCompChannelCommand(), 4);
        yield return Plain(UverbsCommand.CreateCq, _ => new CreateCqCommand { Entries = 7, CompChannel = -1 }, Marshal.SizeOf<CreateCqResponse>(), place);
        yield return Extended(
            UverbsCommand.CreateCq, _ => new ExCreateCqCommand { Entries = 7, CompChannel = -1 }, Unsafe.SizeOf<ExCreateCqCommand>(), Marshal.SizeOf<ExCreateCqResponse>(), place);
        yield return Plain(UverbsCommand.ResizeCq, device => new ResizeCqCommand
        {
            CqHandle = Of(device, Kind.CompletionQueue), Entries = 300,
        }, Marshal.SizeOf<ResizeCqResponse>(), place);
        yield return Plain(UverbsCommand.ReqNotifyCq, device => new ReqNotifyCqCommand { CqHandle = Of(device, Kind.CompletionQueue) });
        yield return Plain(UverbsCommand.CreateQp, Pair, Marshal.SizeOf<CreateQpResponse>(), 2 * place);
        yield return Extended(UverbsCommand.CreateQp, device =>
        {
            var (plain, extended) = (Pair(device), default(ExCreateQpCommand));
            MemoryMarshal.AsBytes(new ReadOnlySpan<CreateQpCommand>(in plain))[sizeof(ulong)..].CopyTo(MemoryMarshal.AsBytes(new Span<ExCreateQpCommand>(ref extended)));
            return extended;
        }, 56, Marshal.SizeOf<ExCreateQpResponse>(), 2 * place);
        yield return Plain(UverbsCommand.QueryQp, device => new QueryQpCommand { QpHandle = Of(device, Kind.QueuePair) }, Marshal.SizeOf<QueryQpResponse>());
        yield return Plain(UverbsCommand.ModifyQp, Reset);
        yield return Extended(UverbsCommand.ModifyQp, device => new ExModifyQpCommand { Base = Reset(device) }, Unsafe.SizeOf<ModifyQpCommand>(), Marshal.SizeOf<ExModifyQpResponse>());
        yield return Plain(UverbsCommand.DestroyQp, device => new DestroyQpCommand { QpHandle = Of(device, Kind.QueuePair) }, Marshal.SizeOf<DestroyQpResponse>());
        yield return Plain(UverbsCommand.CreateSrq, device => new CreateSrqCommand
        {
            PdHandle = Of(device, Kind.Domain), MaxWr = 4, MaxSge = 1,
        }, Marshal.SizeOf<CreateSrqResponse>(), Marshal.SizeOf<CreateSrqDriverResponse>());
        yield return Plain(UverbsCommand.CreateXsrq, device => new CreateXsrqCommand
        {
            PdHandle = Of(device, Kind.Domain), MaxWr = 4, MaxSge = 1,
        }, Marshal.SizeOf<CreateSrqResponse>(), Marshal.SizeOf<CreateSrqDriverResponse>());
        yield return Plain(UverbsCommand.QuerySrq, device => new QuerySrqCommand { SrqHandle = Of(device, Kind.SharedQueue) }, Marshal.SizeOf<QuerySrqResponse>());
        var modifySrq = Plain(UverbsCommand.ModifySrq, device => (new ModifySrqCommand
        {
            SrqHandle = Of(device, Kind.SharedQueue), AttrMask = SharedReceiveQueueAttributes.MaxWr, MaxWr = 64,
        }, new ModifySrqDriverCommand { MmapInfoAddress = Arena.Start }));
        yield return modifySrq;
        yield return Plain(UverbsCommand.DestroySrq, device => new DestroySrqCommand { SrqHandle = Of(device, Kind.SharedQueue) }, Marshal.SizeOf<DestroySrqResponse>());
    }

    /// <summary>Each with how many of its last bytes older libraries leave out.</summary>
    private static IEnumerable<(string Name, Func<uint, byte[]> Make, int Shorter)> ManagerCommands()
    {
        const int room = 400;
        const int enhanced = 8;

        (string, Func<uint, byte[]>, int) Of<T>(RdmaCmCommand command, Func<uint, T> body, int shorter = 0)
            where T : struct => ($"rdma_cm {command}", id => Commands.OfManager(command, body(id), room), shorter);

        yield return Of(RdmaCmCommand.CreateId, _ => new CreateIdCommand { Ps = PortSpace.Tcp, QpType = 2 });
        yield return Of(RdmaCmCommand.DestroyId, id => new DestroyIdCommand { Id = id });
        yield return Of(RdmaCmCommand.BindIp, id => new BindIpCommand { Id = id });
        yield return Of(RdmaCmCommand.Bind, id => new BindCommand { Id = id, AddrSize = 16 });
        yield return Of(RdmaCmCommand.ResolveIp, id => new ResolveIpCommand { Id = id });
        yield return Of(RdmaCmCommand.ResolveAddr, id => new ResolveAddrCommand { Id = id, DstSize = 16 });
        yield return Of(RdmaCmCommand.ResolveRoute, id => new ResolveRouteCommand { Id = id });
        yield return Of(RdmaCmCommand.QueryRoute, id => new RdmaCmQueryCommand { Id = id }, 4);
        yield return Of(RdmaCmCommand.Query, id => new RdmaCmQueryCommand { Id = id });
        yield return Of(RdmaCmCommand.Connect, id => new ConnectCommand { Id = id }, enhanced);
        yield return Of(RdmaCmCommand.Listen, id => new ListenCommand { Id = id, Backlog = 1 });
        yield return Of(RdmaCmCommand.Accept, id => new AcceptCommand { Id = id }, enhanced);
        yield return Of(RdmaCmCommand.Reject, id => new RejectCommand { Id = id });
        yield return Of(RdmaCmCommand.Disconnect, id => new DisconnectCommand { Id = id });
        yield return Of(RdmaCmCommand.InitQpAttr, id => new InitQpAttrCommand { Id = id, QpState = 1 });
        yield return Of(RdmaCmCommand.GetEvent, _ => new GetEventCommand());
        yield return Of(RdmaCmCommand.SetOption, id => new SetOptionCommand { Id = id });
        yield return Of(RdmaCmCommand.Notify, id => new NotifyCommand { Id = id, Event = 4 });
        yield return Of(RdmaCmCommand.JoinIpMcast, id => new JoinIpMcastCommand { Id = id });
        yield return Of(RdmaCmCommand.JoinMcast, id => new JoinMcastCommand { Id = id, AddrSize = 16 });
        yield return Of(RdmaCmCommand.LeaveMcast, id => new DestroyIdCommand { Id = id });
        yield return Of(RdmaCmCommand.MigrateId, id => new MigrateIdCommand { Id = id });
    }
}
