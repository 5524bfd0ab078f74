using System.Runtime.InteropServices;
using Freeflow.Verbs.Engine;

namespace Freeflow.Verbs.Testbed;

internal static class DoorbellOfTheFirst
{
    /// <summary>What the shim does for ibv_post_send on a connection's first QP (Freeflow.Shim/surfaces/uverbs.c).</summary>
    public static void Ring(this EngineConnection connection)
    {
        var doorbell = connection.Doorbell.Memory;
        Interlocked.Or(ref MemoryMarshal.AsRef<ulong>(doorbell.Span(128, 8)), 1UL);
        Interlocked.Or(ref MemoryMarshal.AsRef<ulong>(doorbell.Span(64, 8)), 1UL);
        ref var asleep = ref MemoryMarshal.AsRef<uint>(doorbell.Span(0, 4));
        if (Volatile.Read(ref asleep) != 0 && Interlocked.Exchange(ref asleep, 0) == 1)
            RandomAccess.Write(connection.WakeHandle, "\u0001\0\0\0\0\0\0\0"u8, 0);
    }
}
