using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Channel;

/// <summary>A request that came whole and well-formed. Its descriptors belong to whoever receives it.</summary>
public sealed record ShimRequest(
    ShimMessageType Type, uint Sequence, ReadOnlyMemory<byte> Payload, IReadOnlyList<SafeFileHandle> Descriptors)
{
    public void CloseDescriptors()
    {
        foreach (var descriptor in Descriptors)
            descriptor.Dispose();
    }
}

/// <summary>An answer: <paramref name="Errno"/> 0, or a positive errno as the kernel's call would give. Sending closes no descriptor.</summary>
public sealed record ShimReply(ShimMessageType Type, uint Sequence, int Errno, ReadOnlyMemory<byte> Payload)
{
    public IReadOnlyList<SafeFileHandle> Descriptors { get; init; } = [];

    /// <summary>Offset in the payload of a u32 that takes the number of the received descriptor.</summary>
    public uint DescriptorPatch { get; init; } = ShimProtocol.NoDescriptor;
}

/// <summary>What happens on the router's socket. Called on the listener's thread, so an implementation must only hand it on.</summary>
public interface IShimListenerEvents
{
    void Connected(ShimConnection connection);

    void Received(ShimConnection connection, ShimRequest request);

    /// <summary>Once for each connection that was <see cref="Connected"/>.</summary>
    void Closed(ShimConnection connection, string reason);

    /// <summary>A connection that was turned away before it was one.</summary>
    void Refused(string reason);
}
