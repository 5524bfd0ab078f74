using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover.Pacing;

/// <summary>
/// What the kernel does for each TCP socket of the host: where its cookie is in the table, it notes what the socket has sent, and sets its
/// SO_MAX_PACING_RATE. A rate below that its program has set itself stays.
/// </summary>
internal static class PacingProgram
{
    private const int Context = 1, Socket = 6, Entry = 7, Stack = 10;
    private const int SocketLevel = 1;
    private const int MaximumPacingRate = 47;

    // On its stack.
    private const int Cookie = -8;
    private const int Rate = -16;

    /// <summary>Null where this kernel's sockets are not known.</summary>
    public static BpfInstruction[]? Make(SafeFileHandle table, KernelTypes types)
    {
        if (types.OffsetOf("tcp_sock"u8, "bytes_sent"u8) is not { } sent || types.OffsetOf("sock"u8, "sk_max_pacing_rate"u8) is not { } pacing)
            return null;
        return
        [
            BpfInstruction.LoadLong(Socket, Context, 8),
            BpfInstruction.SkipIfZero(Socket, 30),
            BpfInstruction.Move(1, Socket),
            BpfInstruction.Call(Bpf.SocketCookie),
            BpfInstruction.StoreLong(Stack, Cookie, 0),
            BpfInstruction.Map(1, table),
            BpfInstruction.MapRest(),
            BpfInstruction.Move(2, Stack),
            BpfInstruction.Add(2, Cookie),
            BpfInstruction.Call(Bpf.LookUp),
            BpfInstruction.SkipIfZero(0, 21),
            BpfInstruction.Move(Entry, 0),

            // One that still is to be accepted, or only waits until late packets are gone, has no rate.
            BpfInstruction.Move(1, Socket),
            BpfInstruction.Call(Bpf.TcpSocket),
            BpfInstruction.SkipIfZero(0, 17),
            BpfInstruction.LoadLong(1, 0, sent),
            BpfInstruction.StoreLong(Entry, 16, 1),
            BpfInstruction.Set(1, 1),
            BpfInstruction.StoreLong(Entry, 24, 1),

            BpfInstruction.LoadLong(3, Entry, 0),
            BpfInstruction.LoadLong(1, 0, pacing),
            BpfInstruction.LoadLong(2, Entry, 8),
            BpfInstruction.SkipIfEqual(1, 2, 1),
            BpfInstruction.SkipUnlessGreater(1, 3, 8),

            // The option's 32 bits, all of them set, are no limit.
            BpfInstruction.StoreWord(Stack, Rate, 3),
            BpfInstruction.Move(1, Socket),
            BpfInstruction.Set(2, SocketLevel),
            BpfInstruction.Set(3, MaximumPacingRate),
            BpfInstruction.Move(4, Stack),
            BpfInstruction.Add(4, Rate),
            BpfInstruction.Set(5, sizeof(uint)),
            BpfInstruction.Call(Bpf.SetSocketOption),
            BpfInstruction.Set(0, 0),
            BpfInstruction.Exit(),
        ];
    }
}
