using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// The steps of a handover at which a router may die, by name: with FREEFLOW_FAULT=NAME in its environment the router
/// ends at once when it comes there, as if it were killed. Without, a look at a constant.
/// </summary>
public static partial class FaultPoint
{
    public const string SocketsGiven = "sockets-given";
    public const string ConnectNoted = "connect-noted";
    public const string AnnouncementSent = "announcement-sent";
    public const string AnnouncementReceived = "announcement-received";
    public const string ConnectionAccepted = "connection-accepted";
    public const string ConnectionMatched = "connection-matched";
    public const string ConnectionLocked = "connection-locked";
    public const string ConnectionQueued = "connection-queued";

    private const int ExitStatus = 137;

    private static readonly string? s_armed = Environment.GetEnvironmentVariable("FREEFLOW_FAULT");

    public static IReadOnlyList<string> Names { get; } =
    [
        SocketsGiven, ConnectNoted, AnnouncementSent, AnnouncementReceived, ConnectionAccepted, ConnectionMatched, ConnectionLocked, ConnectionQueued,
    ];

    public static void Pass(string name)
    {
        if (s_armed is not null && s_armed == name)
            End(ExitStatus);
    }

    // Not a signal: as the first process of a pid namespace it would not hear it.
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void End(int status);
}
