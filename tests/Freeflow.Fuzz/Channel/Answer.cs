using Freeflow.Verbs.Channel;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Fuzz.Channel;

/// <summary>What the router has answered.</summary>
internal sealed record Answer(ShimHeader Header, byte[] Payload, IReadOnlyList<SafeFileHandle> Descriptors) : IDisposable
{
    public int Errno => Header.Error;

    public void Dispose()
    {
        foreach (var descriptor in Descriptors)
            descriptor.Dispose();
    }
}
