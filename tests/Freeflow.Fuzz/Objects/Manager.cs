using System.Runtime.InteropServices;
using Freeflow.Fuzz.Channel;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Channel;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Fuzz.Objects;

/// <summary>An open rdma_cm descriptor.</summary>
internal sealed class Manager : IDisposable
{
    private readonly Scene _scene;

    private Manager(Scene scene, RouterChannel channel, SafeFileHandle visible) => (_scene, Channel, Visible) = (scene, channel, visible);

    public RouterChannel Channel { get; }

    /// <summary>What the application would poll.</summary>
    public SafeFileHandle Visible { get; }

    /// <summary>Ids that are known to belong here.</summary>
    public List<uint> Ids { get; } = [];

    public List<uint> Groups { get; } = [];

    public static Manager Open(Scene scene)
    {
        var channel = new RouterChannel();
        var hello = new ShimHello { Version = ShimProtocol.Version, Kind = ShimConnectionKind.RdmaCm };
        channel.Send(ShimMessageType.Hello, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimHello>(in hello)));
        var answer = channel.Receive() ?? throw new FindingException("rdma_cm can't be opened: the connection was closed");
        return answer.Errno == 0 && answer.Descriptors.Count == 1
            ? new Manager(scene, channel, answer.Descriptors[0])
            : throw new FindingException($"rdma_cm can't be opened: errno {answer.Errno}");
    }

    /// <summary>Sends a command, spoilt or not; its errno and answer.</summary>
    public (int Errno, byte[] Payload) Command(byte[] command, Choices choices, params IReadOnlyList<SafeFileHandle> descriptors)
    {
        command = Mutation.Apply(command, choices, out _);
        return Command(command, descriptors);
    }

    public (int Errno, byte[] Payload) Command(byte[] command, params IReadOnlyList<SafeFileHandle> descriptors)
    {
        Channel.Send(ShimMessageType.Command, command, descriptors);
        using var answer = Channel.Receive() ?? throw new FindingException("the router has closed an rdma_cm connection that did nothing against the protocol");
        if (answer.Header.Type != ShimMessageType.Command || answer.Header.Sequence != Channel.Sequence)
            throw new FindingException($"an answer of type {answer.Header.Type}, number {answer.Header.Sequence} to command number {Channel.Sequence}");
        var number = command.Length >= sizeof(uint) ? MemoryMarshal.Read<uint>(command) : uint.MaxValue;
        _scene.Saw($"rdma_cm {(number > (uint)RdmaCmCommand.JoinMcast ? "unknown" : (RdmaCmCommand)number)} {answer.Errno}");
        if (answer.Errno == 0)
            Note((RdmaCmCommand)number, command.AsSpan(Commands.HeaderBytes), answer.Payload);
        return (answer.Errno, answer.Payload);
    }

    public uint Id(Choices choices, IEnumerable<Manager> others) => choices.Below(20) switch
    {
        < 17 => Ids.Count > 0 ? Ids[choices.Below(Ids.Count)] : 0,
        17 => (uint)choices.Below(40),
        18 => others.Where(other => other != this).SelectMany(other => other.Ids).LastOrDefault(),
        _ => (uint)choices.Edge(),
    };

    public void Dispose()
    {
        Channel.Dispose();
        Visible.Dispose();
    }

    private void Note(RdmaCmCommand command, ReadOnlySpan<byte> body, ReadOnlySpan<byte> payload)
    {
        switch (command)
        {
            case RdmaCmCommand.CreateId when payload.Length >= sizeof(uint):
                var made = MemoryMarshal.Read<uint>(payload);
                if (_scene.Managers.Any(manager => manager.Ids.Contains(made)))
                    throw new FindingException($"id {made} was given while it was in use");
                Ids.Add(made);
                break;
            case RdmaCmCommand.DestroyId:
                Own(MemoryMarshal.Read<DestroyIdCommand>(body).Id);
                Ids.Remove(MemoryMarshal.Read<DestroyIdCommand>(body).Id);
                break;
            case RdmaCmCommand.MigrateId:
                var id = MemoryMarshal.Read<MigrateIdCommand>(body).Id;
                foreach (var manager in _scene.Managers)
                    manager.Ids.Remove(id);
                Ids.Add(id);
                break;
            case RdmaCmCommand.JoinMcast or RdmaCmCommand.JoinIpMcast when payload.Length >= sizeof(uint):
                Groups.Add(MemoryMarshal.Read<uint>(payload));
                break;
            case RdmaCmCommand.Listen or RdmaCmCommand.Bind or RdmaCmCommand.ResolveAddr or RdmaCmCommand.ResolveRoute or RdmaCmCommand.Disconnect:
                Own(MemoryMarshal.Read<uint>(body));
                break;
            case RdmaCmCommand.GetEvent:
                var taken = default(RdmaCmEventResponse);
                payload[..Math.Min(payload.Length, Marshal.SizeOf<RdmaCmEventResponse>())].CopyTo(MemoryMarshal.AsBytes(new Span<RdmaCmEventResponse>(ref taken)));
                _scene.Saw($"rdma_cm event {taken.Event} {taken.Status}");
                if (taken.Event == RdmaCmEventType.ConnectRequest && !Ids.Contains(taken.Id))
                    Ids.Add(taken.Id);
                break;
        }
    }

    private void Own(uint id)
    {
        if (_scene.Managers.Any(manager => manager != this && manager.Ids.Contains(id)))
            throw new FindingException($"a command on id {id} succeeded, which belongs to another descriptor");
    }
}
