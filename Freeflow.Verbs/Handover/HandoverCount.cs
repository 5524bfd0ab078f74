using System.Runtime.InteropServices;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// How many times the router has let go of what it sent to a container's processes (Freeflow.Shim/handovers.h): a word of memory that
/// they read and only the router writes. A socket that lies in a queue is open in the router too until it closes its own descriptor;
/// a process that closed its one before that would stay in its epoll sets, and its peer would not see the end.
/// </summary>
/// <remarks>Its numbers are TCP mode's thread's, one after another: each is let go before the next is begun.</remarks>
public sealed class HandoverCount : IDisposable
{
    private readonly SharedMemory _memory = SharedMemory.Create("freeflow-handovers", sizeof(uint), onlyOursToWrite: true);

    // From anywhere: what another router has left in a queue is not taken for what this one is about to let go.
    private uint _last = (uint)Random.Shared.Next();

    /// <summary>Throws Win32Exception (ENOMEM, EMFILE).</summary>
    public HandoverCount() => LetGo();

    /// <summary>To be passed.</summary>
    public SafeFileHandle Handle => _memory.Handle;

    /// <summary>A message with descriptors is about to be sent; its number.</summary>
    internal uint Begin() => ++_last;

    /// <summary>The router has closed its own descriptors of the message that was begun last.</summary>
    internal void LetGo() => Volatile.Write(ref MemoryMarshal.AsRef<uint>(_memory.Span(0, sizeof(uint))), _last);

    public void Dispose() => _memory.Dispose();
}
