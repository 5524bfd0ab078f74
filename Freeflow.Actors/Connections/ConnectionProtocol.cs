using Akka.Actor;
using Freeflow.Actors.Containers;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Rings;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Actors.Connections;

/// <summary>What a connection's actor is told by its container and by the objects below it.</summary>
public static class ConnectionProtocol
{
    /// <summary>The container's addresses are others now.</summary>
    public sealed record DeviceChanged(ContainerDevice Device);

    /// <summary>An object's answer to the call under way: an errno, or the response's bytes.</summary>
    public sealed record Answer(int Errno, byte[] Response)
    {
        public static Answer Done { get; } = new(0, []);

        public static Answer Error(int errno) => new(errno, []);

        public IReadOnlyList<SafeFileHandle> Descriptors { get; init; } = [];

        public uint DescriptorPatch { get; init; } = uint.MaxValue;
    }

    /// <summary>
    /// An object is made and in the engine. Its rings get their mmap offsets from the connection, which then answers with
    /// what <paramref name="Respond"/> makes of them.
    /// </summary>
    public sealed record Created(
        IActorRef Object, IDisposable EngineObject, IReadOnlyList<SharedRing> Rings, Func<MmapInfo[], byte[]> Respond);

    /// <summary>
    /// An object has moved to another ring, or has not (<paramref name="Ring"/> is null) since that was too small.
    /// <paramref name="Unused"/> is the ring that is being freed; <paramref name="Answer"/> makes the answer from the new one's place.
    /// </summary>
    public sealed record Moved(SharedRing Unused, SharedRing? Ring, Func<MmapInfo, Answer> Answer);

    /// <summary>An object could not be made.</summary>
    public sealed record NotCreated(IActorRef Object, int Errno);

    /// <summary>An async event for the application; <paramref name="Element"/> is the object's user handle, or the port.</summary>
    public sealed record AsyncEvent(AsyncEventType Type, ulong Element);

    /// <summary>An object is out of the engine; what is left of it may be freed. <paramref name="CompletionEvents"/> is a CQ's count.</summary>
    public sealed record Removed(IActorRef Object, uint CompletionEvents);

    /// <summary>An object that does not live below the connection has failed: the connection ends.</summary>
    public sealed class Broken
    {
        public static Broken Instance { get; } = new();
    }
}
