using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Freeflow.Fuzz.Channel;
using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Fuzz.Steps;

/// <summary>Commands of rdma_cm.</summary>
internal static class ManagerSteps
{
    private const int EventRoom = 336;
    private static readonly ushort[] s_ports = [7471, 7472, 0, 1];

    public static void Open(Scene scene, Choices choices)
    {
        if (scene.Managers.Count < Scene.MaximumManagers)
            scene.Managers.Add(Objects.Manager.Open(scene));
    }

    public static void Close(Scene scene, Choices choices)
    {
        if (scene.Managers.Count == 0)
            return;
        var manager = scene.Managers[choices.Below(scene.Managers.Count)];
        scene.Managers.Remove(manager);
        manager.Dispose();
    }

    public static void Create(Scene scene, Choices choices) => scene.Manager(choices).Command(
        Commands.OfManager(RdmaCmCommand.CreateId, new CreateIdCommand
        {
            Uid = choices.Next(16),
            Ps = choices.OneIn(16) ? (PortSpace)choices.Next(65536) : choices.Of(PortSpace.Tcp, PortSpace.Tcp, PortSpace.Udp, PortSpace.Ib, PortSpace.Ipoib),
            QpType = choices.MostlyByte(2, 4, 3),
        }, 4), choices);

    public static void Destroy(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(Commands.OfManager(RdmaCmCommand.DestroyId, new DestroyIdCommand { Id = id }, 4), choices);
    }

    public static void Bind(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        var command = new BindCommand { Id = id };
        command.AddrSize = Write(ref command.Addr, choices);
        var ip = new BindIpCommand { Id = id };
        Address(choices).AsSpan(0, 28).CopyTo(SocketAddressIn6.Bytes(ref ip.Addr));
        manager.Command(choices.OneIn(4) ? Commands.OfManager(RdmaCmCommand.BindIp, ip, 0) : Commands.OfManager(RdmaCmCommand.Bind, command, 0), choices);
    }

    public static void Listen(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(Commands.OfManager(RdmaCmCommand.Listen, new ListenCommand { Id = id, Backlog = choices.Mostly(8, 1, 0) }, 0), choices);
    }

    public static void Resolve(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        var command = new ResolveAddrCommand { Id = id, TimeoutMs = choices.Mostly(100, 2000, 1) };
        command.DstSize = Write(ref command.DstAddr, choices);
        if (choices.OneIn(4))
            command.SrcSize = Write(ref command.SrcAddr, choices);
        var ip = new ResolveIpCommand { Id = id, TimeoutMs = 100 };
        Address(choices).AsSpan(0, 28).CopyTo(SocketAddressIn6.Bytes(ref ip.DstAddr));
        manager.Command(choices.OneIn(4) ? Commands.OfManager(RdmaCmCommand.ResolveIp, ip, 0) : Commands.OfManager(RdmaCmCommand.ResolveAddr, command, 0), choices);
    }

    public static void Route(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(Commands.OfManager(RdmaCmCommand.ResolveRoute, new ResolveRouteCommand { Id = id, TimeoutMs = choices.Mostly(100, 1) }, 0), choices);
    }

    public static void Connect(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(Commands.OfManager(RdmaCmCommand.Connect, new ConnectCommand { Id = id, ConnParam = Parameters(scene, choices) }, 0), choices);
    }

    public static void Accept(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(Commands.OfManager(RdmaCmCommand.Accept, new AcceptCommand { Id = id, Uid = choices.Next(16), ConnParam = Parameters(scene, choices) }, 0), choices);
    }

    public static void Reject(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(
            Commands.OfManager(RdmaCmCommand.Reject, new RejectCommand { Id = id, PrivateDataLen = choices.MostlyByte(0, 148, 255), Reason = choices.MostlyByte(28, 12) }, 0), choices);
    }

    public static void Disconnect(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(Commands.OfManager(RdmaCmCommand.Disconnect, new DisconnectCommand { Id = id }, 0), choices);
    }

    /// <summary>A listener and who asks it, as far as a request goes by itself.</summary>
    public static void Dial(Scene scene, Choices choices)
    {
        var manager = scene.Manager(choices);
        var space = choices.Of(PortSpace.Tcp, PortSpace.Udp);
        var port = (ushort)(7480 + choices.Below(8));
        if (New(manager, space) is not { } listener || New(manager, space) is not { } caller)
            return;
        var bind = new BindCommand { Id = listener, AddrSize = 16 };
        Inet(port).CopyTo(SocketAddressStorage.Bytes(ref bind.Addr));
        manager.Command(Commands.OfManager(RdmaCmCommand.Bind, bind, 0));
        manager.Command(Commands.OfManager(RdmaCmCommand.Listen, new ListenCommand { Id = listener, Backlog = 4 }, 0));
        var resolve = new ResolveAddrCommand { Id = caller, TimeoutMs = 2000, DstSize = 16 };
        Inet(port).CopyTo(SocketAddressStorage.Bytes(ref resolve.DstAddr));
        manager.Command(Commands.OfManager(RdmaCmCommand.ResolveAddr, resolve, 0));
        Await(manager);
        manager.Command(Commands.OfManager(RdmaCmCommand.ResolveRoute, new ResolveRouteCommand { Id = caller, TimeoutMs = 2000 }, 0));
        Await(manager);
        manager.Command(Commands.OfManager(RdmaCmCommand.Connect, new ConnectCommand { Id = caller, ConnParam = Parameters(scene, choices) }, 0), choices);
        if (!choices.OneIn(3))
            Await(manager);
    }

    public static void Query(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        var room = choices.Below(3) == 0 ? choices.Below(600) : 560;
        var command = choices.OneIn(3)
            ? Commands.OfManager(RdmaCmCommand.QueryRoute, new RdmaCmQueryCommand { Id = id }, room)
            : Commands.OfManager(RdmaCmCommand.Query, new RdmaCmQueryCommand { Id = id, Option = (RdmaCmQueryOption)choices.Mostly(0, 1, 2) }, room);
        manager.Command(command, choices);
    }

    public static void Option(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        var value = new byte[choices.Of(1, 4, 72, 0, 144, 1000)];
        for (var at = 0; at < value.Length; at++)
            value[at] = choices.OneIn(4) ? (byte)choices.Next(256) : (byte)0;
        manager.Command(
            Commands.OfManager(RdmaCmCommand.SetOption, new SetOptionCommand
            {
                Id = id, Level = choices.Mostly(0, 0, 1), Optname = choices.Mostly(0, 1, 2, 3), Optlen = choices.OneIn(8) ? (uint)choices.Edge() : (uint)value.Length,
            }, 0, value),
            choices);
    }

    public static void Attributes(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(
            Commands.OfManager(RdmaCmCommand.InitQpAttr, new InitQpAttrCommand { Id = id, QpState = choices.Mostly(1, 2, 3, 0) }, Marshal.SizeOf<QpAttributesResponse>()), choices);
    }

    /// <summary>Takes events, as applications should.</summary>
    public static void Event(Scene scene, Choices choices)
    {
        var manager = scene.Manager(choices);
        for (var left = choices.Below(8); left >= 0; left--)
            manager.Command(Commands.OfManager(RdmaCmCommand.GetEvent, new GetEventCommand(), EventRoom), choices);
    }

    public static void Join(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        var command = new JoinMcastCommand { Id = id, Uid = choices.Next(16), AddrSize = 16, JoinFlags = choices.OneIn(8) ? (ushort)choices.Edge() : (ushort)0 };
        Inet(0, [239, 1, 1, (byte)choices.Below(3)]).CopyTo(SocketAddressStorage.Bytes(ref command.Addr));
        if (choices.OneIn(8))
            command.AddrSize = Write(ref command.Addr, choices);
        manager.Command(Commands.OfManager(RdmaCmCommand.JoinMcast, command, 4), choices);
    }

    public static void Leave(Scene scene, Choices choices)
    {
        var manager = scene.Manager(choices);
        var group = manager.Groups.Count > 0 && !choices.OneIn(8) ? manager.Groups[choices.Below(manager.Groups.Count)] : (uint)choices.Below(16);
        manager.Command(Commands.OfManager(RdmaCmCommand.LeaveMcast, new DestroyIdCommand { Id = group }, 4), choices);
    }

    public static void Migrate(Scene scene, Choices choices)
    {
        var manager = scene.Manager(choices);
        var from = scene.Managers[choices.Below(scene.Managers.Count)];
        manager.Command(Commands.OfManager(RdmaCmCommand.MigrateId, new MigrateIdCommand { Id = from.Id(choices, scene.Managers) }, 4), choices, from.Visible);
    }

    public static void Notify(Scene scene, Choices choices)
    {
        var (manager, id) = Pick(scene, choices);
        manager.Command(Commands.OfManager(RdmaCmCommand.Notify, new NotifyCommand { Id = id, Event = choices.Mostly(4, 1) }, 0), choices);
    }

    /// <summary>Any command at all, with nothing sensible in it.</summary>
    public static void Noise(Scene scene, Choices choices)
    {
        var bytes = new byte[8 + (4 * choices.Below(100))];
        MemoryMarshal.Write(bytes, new RdmaCmHeader { Cmd = (RdmaCmCommand)choices.Below(26), In = (ushort)(bytes.Length - 8), Out = (ushort)choices.Below(600) });
        for (var at = 8; at < bytes.Length; at += 4)
            MemoryMarshal.Write(bytes.AsSpan(at), choices.OneIn(3) ? (uint)choices.Edge() : (uint)choices.Below(4));
        scene.Manager(choices).Command(bytes, choices);
    }

    private static (Manager Manager, uint Id) Pick(Scene scene, Choices choices)
    {
        var manager = scene.Manager(choices);
        return (manager, manager.Id(choices, scene.Managers));
    }

    private static uint? New(Manager manager, PortSpace space)
    {
        var (errno, payload) = manager.Command(Commands.OfManager(RdmaCmCommand.CreateId, new CreateIdCommand { Ps = space, QpType = 2 }, 4));
        return errno == 0 ? MemoryMarshal.Read<uint>(payload) : null;
    }

    /// <summary>Takes an event within a moment, if one comes.</summary>
    private static void Await(Manager manager)
    {
        for (var left = 6; left > 0; left--)
        {
            if (manager.Command(Commands.OfManager(RdmaCmCommand.GetEvent, new GetEventCommand(), EventRoom)).Errno == 0)
                return;
            Thread.Sleep(1);
        }
    }

    private static ConnectionParameters Parameters(Scene scene, Choices choices) => new()
    {
        QpNum = QueuePairSteps.SomeNumber(scene, choices),
        Qkey = (uint)choices.Edge(),
        PrivateDataLen = choices.MostlyByte(0, 56, 255),
        ResponderResources = choices.MostlyByte(1, 16),
        InitiatorDepth = choices.MostlyByte(1, 16),
        RetryCount = choices.MostlyByte(7, 0),
        RnrRetryCount = choices.MostlyByte(7, 0),
        Srq = (byte)choices.Below(2),
        Valid = choices.OneIn(8) ? (byte)0 : (byte)1,
    };

    private static ushort Write(ref SocketAddressStorage storage, Choices choices)
    {
        var address = Address(choices);
        address.CopyTo(SocketAddressStorage.Bytes(ref storage));
        return (ushort)(choices.OneIn(8) ? choices.Edge() : (ulong)(address[0] == 2 ? 16 : address[0] == 10 ? 28 : 48));
    }

    /// <summary>Any address, in 48 bytes: mostly the container's own.</summary>
    private static byte[] Address(Choices choices)
    {
        var port = s_ports[choices.Below(s_ports.Length)];
        var bytes = new byte[48];
        switch (choices.Below(16))
        {
            case < 10:
                return Inet(port);
            case 10:
                return Inet(port, [0, 0, 0, 0]);
            case 11:
                return Inet(port, [127, 0, 0, 1]);
            case 12:
                return Inet(port, [10, 244, 9, 9]);
            case 13:
                bytes[0] = 10;
                BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), port);
                return bytes;
            case 14:
                bytes[0] = 27;
                Scene.OwnGid.CopyTo(bytes.AsSpan(8));
                BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(24), 0x01060000ul + port);
                BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(32), choices.Edge());
                return bytes;
            default:
                for (var at = 0; at < bytes.Length; at++)
                    bytes[at] = (byte)choices.Next(256);
                return bytes;
        }
    }

    private static byte[] Inet(ushort port, byte[]? address = null)
    {
        var bytes = new byte[48];
        bytes[0] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), port);
        (address ?? Scene.Address.GetAddressBytes()).CopyTo(bytes, 4);
        return bytes;
    }
}
