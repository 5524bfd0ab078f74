using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>Work inside another network namespace (setns(2); needs CAP_SYS_ADMIN).</summary>
internal static partial class Namespaces
{
    private const int NetworkType = 0x40000000;

    /// <summary>
    /// Runs <paramref name="work"/> on a thread of its own that is in the given network namespace. The thread ends with
    /// it, so no other code ever runs there by accident.
    /// </summary>
    public static T RunIn<T>(SafeHandle networkNamespace, Func<T> work)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Enter(networkNamespace, NetworkType) < 0)
                    throw new Win32Exception(Marshal.GetLastPInvokeError(), $"setns: {Marshal.GetLastPInvokeErrorMessage()}");
                result = work();
            }
            catch (Exception error)
            {
                failure = error;
            }
        })
        { IsBackground = true, Name = "in-namespace" };
        thread.Start();
        thread.Join();
        return failure is null ? result! : throw new InvalidOperationException(failure.Message, failure);
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int Enter(SafeHandle handle, int type);
}
