using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>What a process may do beyond its user (capabilities(7)). Each thread has its own: what is taken here is taken from the calling one.</summary>
public static unsafe partial class Capabilities
{
    public const int NetBindService = 10;
    public const int NetAdmin = 12;
    public const int SysPtrace = 19;
    public const int SysAdmin = 21;
    public const int SysNice = 23;

    private const int ReadBounding = 23;    // PR_CAPBSET_READ
    private const int DropBounding = 24;    // PR_CAPBSET_DROP
    private const int SetNoNewPrivileges = 38;
    private const int GetNoNewPrivileges = 39;
    private const int Ambient = 47;         // PR_CAP_AMBIENT
    private const int LowerAmbient = 3;
    private const int Version3 = 0x20080522;
    private const int Most = 64;

    /// <summary>The calling thread's bounding set, a bit for each.</summary>
    public static ulong Bounding
    {
        get
        {
            var all = 0UL;
            for (var number = 0; number < Most; number++)
            {
                if (Control(ReadBounding, number, 0, 0, 0) == 1)
                    all |= 1UL << number;
            }

            return all;
        }
    }

    /// <summary>What the calling thread may take into use.</summary>
    public static ulong Permitted
    {
        get
        {
            var words = stackalloc uint[6];
            Check(Transfer(words, set: false), "capget");
            return words[1] | (ulong)words[4] << 32;
        }
    }

    /// <summary>Whether programs that the calling thread starts gain nothing by their files.</summary>
    public static bool NoNewPrivileges => Control(GetNoNewPrivileges, 0, 0, 0, 0) == 1;

    /// <summary>
    /// Leaves the calling thread, and what it executes, with these at most, and for good. Returns 0, or the errno for which the
    /// bounding set stays as it is (EPERM without CAP_SETPCAP): a program that root executes has all of that again.
    /// </summary>
    public static int Keep(ulong wanted)
    {
        var refused = 0;
        for (var number = 0; number < Most; number++)
        {
            if ((wanted >> number & 1) != 0)
                continue;
            _ = Control(Ambient, LowerAmbient, number, 0, 0);
            if (Control(ReadBounding, number, 0, 0, 0) == 1 && Control(DropBounding, number, 0, 0, 0) != 0)
                refused = Marshal.GetLastPInvokeError();
        }

        var words = stackalloc uint[6];
        Check(Transfer(words, set: false), "capget");
        for (var word = 0; word < 6; word++)
            words[word] &= (uint)(word < 3 ? wanted : wanted >> 32);
        Check(Transfer(words, set: true), "capset");
        Check(Control(SetNoNewPrivileges, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
        return refused;
    }

    /// <summary>effective, permitted, inheritable of the first 32, then of the others.</summary>
    private static int Transfer(uint* words, bool set)
    {
        var header = stackalloc int[2] { Version3, 0 };
        return set ? Set(header, words) : Get(header, words);
    }

    private static void Check(int result, string call)
    {
        if (result != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "capget", SetLastError = true)]
    private static partial int Get(int* header, uint* data);

    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    private static partial int Set(int* header, uint* data);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nint first, nint second, nint third, nint fourth);
}
