using System.Runtime.InteropServices;
using Freeflow.Fuzz.Channel;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Fuzz.Objects;

/// <summary>An open uverbs device, without a shim or library that would keep it from anything.</summary>
internal sealed class Device : IDisposable
{
    private const int SummaryOffset = 64;
    private const int SendOffset = 128;
    private const int ArmOffset = 1024;

    private readonly Scene _scene;
    private readonly SharedMemory _doorbell;
    private readonly SafeFileHandle _wake;
    private readonly SafeFileHandle _lifeline;
    private readonly List<SafeFileHandle> _eventDescriptors = [];
    private readonly List<(byte[] Command, Answer Answer)> _unnoted = [];

    private Device(Scene scene, RouterChannel channel, Answer hello)
    {
        (_scene, Channel) = (scene, channel);
        _doorbell = SharedMemory.Of(hello.Descriptors[0], MemoryMarshal.Read<ShimHelloReply>(hello.Payload).DoorbellBytes);
        (_wake, _lifeline) = (hello.Descriptors[1], hello.Descriptors[2]);
    }

    public RouterChannel Channel { get; }

    public ObjectTable Objects { get; } = new();

    /// <summary>Completion channels, as the application has them.</summary>
    public List<SafeFileHandle> Channels { get; } = [];

    /// <summary>Opens the device; the context is the first command's to make.</summary>
    public static Device Open(Scene scene)
    {
        var channel = new RouterChannel();
        using var memory = File.OpenHandle("/proc/self/mem", FileMode.Open, FileAccess.ReadWrite);
        using var maps = File.OpenHandle("/proc/self/maps", FileMode.Open, FileAccess.Read);
        var hello = new ShimHello { Version = ShimProtocol.Version, Kind = ShimConnectionKind.Uverbs };
        channel.Send(ShimMessageType.Hello, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimHello>(in hello)), memory, maps);
        var answer = channel.Receive() ?? throw new FindingException("a device can't be opened: the connection was closed");
        return answer.Errno == 0 && answer.Descriptors.Count == 3
            ? new Device(scene, channel, answer)
            : throw new FindingException($"a device can't be opened: errno {answer.Errno}, {answer.Descriptors.Count} descriptors");
    }

    /// <summary>Sends a command, spoilt or not, and takes note of what it did. Returns the errno.</summary>
    public int Command(byte[] command, Choices choices, params IReadOnlyList<SafeFileHandle> descriptors)
    {
        command = Mutation.Apply(command, choices, out _);
        return Command(command, descriptors);
    }

    /// <summary>Sends a command as it is.</summary>
    public int Command(byte[] command, params IReadOnlyList<SafeFileHandle> descriptors)
    {
        Mutation.Tame(command);
        if (command.Length > ShimProtocol.MaximumMessage - Marshal.SizeOf<ShimHeader>())
            Array.Resize(ref command, 64);
        Channel.Send(ShimMessageType.Command, command, descriptors);
        return Await(command);
    }

    /// <summary>Waits for the answer to a command that was sent.</summary>
    public int Await(byte[] command)
    {
        using var answer = Expect(ShimMessageType.Command);
        _scene.Saw($"uverbs {NameOf(command)} {answer.Errno}");
        if (answer.Errno == 0)
            Bookkeeping.Note(_scene, this, command, answer);
        return answer.Errno;
    }

    /// <summary>The next answer, which must be to a request of that type.</summary>
    public Answer Expect(ShimMessageType type, uint? sequence = null)
    {
        var answer = Channel.Receive() ?? throw new FindingException("the router has closed a device's connection that did nothing against the protocol");
        return answer.Header.Type == type && answer.Header.Sequence == (sequence ?? answer.Header.Sequence)
            ? answer
            : throw new FindingException($"an answer of type {answer.Header.Type}, number {answer.Header.Sequence}; asked {type}, number {sequence}");
    }

    /// <summary>Takes note of an answer once those that are on their way are read: mapping rings takes questions of its own.</summary>
    public void NoteLater(byte[] command, Answer answer)
    {
        _scene.Saw($"pipelined {NameOf(command)}");
        _unnoted.Add((command, answer with { Descriptors = [] }));
    }

    public void NoteNow()
    {
        foreach (var (command, answer) in _unnoted)
            Bookkeeping.Note(_scene, this, command, answer);
        _unnoted.Clear();
    }

    /// <summary>Maps a ring; null when the router refuses.</summary>
    public MappedRing? Map(in MmapInfo place)
    {
        if (place.Size == 0)
            return null;
        var request = new ShimMmap { Offset = place.Offset, Length = place.Size };
        Channel.Send(ShimMessageType.Mmap, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimMmap>(in request)));
        var answer = Expect(ShimMessageType.Mmap, Channel.Sequence);
        if (answer.Errno != 0 || answer.Descriptors.Count != 1)
            throw new FindingException($"a ring that was just made can't be mapped: errno {answer.Errno}");
        return new MappedRing(SharedMemory.Of(answer.Descriptors[0], place.Size));
    }

    /// <summary>A descriptor that came for the application: a completion channel, or async events.</summary>
    public void Keep(SafeFileHandle descriptor) => _eventDescriptors.Add(descriptor);

    public void Ring(uint queuePair)
    {
        var handle = queuePair % 4096;
        Interlocked.Or(ref Word(SendOffset + ((int)(handle / 64) * sizeof(ulong))), 1ul << (int)(handle % 64));
        Interlocked.Or(ref Word(SummaryOffset), 1ul << (int)(handle / 64));
        if (Interlocked.Exchange(ref MemoryMarshal.AsRef<uint>(_doorbell.Span(0, sizeof(uint))), 0) != 0)
            Wake();
    }

    public void Wake()
    {
        var one = 1ul;
        try
        {
            RandomAccess.Write(_wake, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in one)), 0);
        }
        catch (IOException)
        {
            // It is full, or the router's own end.
        }
    }

    public void Arm(uint completionQueue, uint level) =>
        Volatile.Write(ref MemoryMarshal.AsRef<uint>(_doorbell.Span(ArmOffset + ((int)(completionQueue % 4096) * sizeof(uint)), sizeof(uint))), level);

    public void ScribbleDoorbell(int offset, ulong value) => Volatile.Write(ref Word((int)((uint)offset % (uint)(_doorbell.Length / 8)) * 8), value);

    public void Dispose()
    {
        Channel.Dispose();
        Objects.Dispose();
        _doorbell.Dispose();
        _wake.Dispose();
        _lifeline.Dispose();
        foreach (var descriptor in Channels.Concat(_eventDescriptors))
            descriptor.Dispose();
    }

    private static string NameOf(byte[] command)
    {
        if (command.Length < sizeof(uint))
            return "none";
        var number = MemoryMarshal.Read<uint>(command);
        var plain = number & ~UverbsCommandFlags.Extended;
        return plain > (uint)UverbsCommand.OpenQp ? "unknown" : $"{(plain == number ? "" : "extended ")}{(UverbsCommand)plain}";
    }

    private ref ulong Word(int offset) => ref MemoryMarshal.AsRef<ulong>(_doorbell.Span(offset, sizeof(ulong)));
}
