using System.Globalization;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// The steps of a handover at which a router may die or be slow, by name: with FREEFLOW_FAULT=NAME in its environment the router
/// ends at once when it comes there, as if it were killed; with NAME=MILLISECONDS it stands still there for so long. Without, a look
/// at a constant.
/// </summary>
public static partial class FaultPoint
{
    public const string SocketsSent = "sockets-sent";
    public const string SocketsGiven = "sockets-given";
    public const string ConnectNoted = "connect-noted";
    public const string AnnouncementSent = "announcement-sent";
    public const string AnnouncementReceived = "announcement-received";
    public const string ConnectionAccepted = "connection-accepted";
    public const string ConnectionMatched = "connection-matched";
    public const string ConnectionLocked = "connection-locked";
    public const string ConnectionSent = "connection-sent";
    public const string ConnectionQueued = "connection-queued";

    private const int ExitStatus = 137;

    private static readonly (string Name, int Pause)? s_armed = Read(Environment.GetEnvironmentVariable("FREEFLOW_FAULT"));

    public static void Pass(string name)
    {
        if (s_armed is not { } armed || armed.Name != name)
            return;
        if (armed.Pause == 0)
            End(ExitStatus);
        Thread.Sleep(armed.Pause);
    }

    private static (string Name, int Pause)? Read(string? setting)
    {
        if (string.IsNullOrEmpty(setting))
            return null;
        var words = setting.Split('=');
        return (words[0], words.Length > 1 ? int.Parse(words[1], CultureInfo.InvariantCulture) : 0);
    }

    // Not a signal: as the first process of a pid namespace it would not hear it.
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void End(int status);
}
