using System.Runtime.InteropServices;
using System.Text;

namespace Freeflow.Verbs.Interop;

/// <summary>The program that this process runs.</summary>
public static unsafe partial class ProcessImage
{
    /// <summary>
    /// Begins it anew in the same process, with the same words and one more variable: the only way to give all threads of a runtime that
    /// has some already what one of them has (execve(2)). Returns an errno when that can't be, else never.
    /// </summary>
    public static int BeginAnew(string variable, string value)
    {
        // By its own name, which is the process's name from then on.
        if (new FileInfo("/proc/self/exe").LinkTarget is not { } program || !File.Exists(program))
            return Errno.ENOENT;
        var words = File.ReadAllBytes("/proc/self/cmdline");
        byte[] environment = [.. File.ReadAllBytes("/proc/self/environ"), .. Encoding.UTF8.GetBytes($"{variable}={value}"), 0];
        byte[] path = [.. Encoding.UTF8.GetBytes(program), 0];
        fixed (byte* pathStart = path, wordsStart = words, environmentStart = environment)
        {
            var (arguments, variables) = (Starts(wordsStart, words), Starts(environmentStart, environment));
            fixed (nint* argumentsStart = arguments, variablesStart = variables)
                _ = Execute(pathStart, argumentsStart, variablesStart);
            return Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Where each text begins, and 0.</summary>
    private static nint[] Starts(byte* first, byte[] texts)
    {
        var starts = new List<nint>();
        for (var at = 0; at < texts.Length; at = Array.IndexOf(texts, (byte)0, at) + 1)
            starts.Add((nint)(first + at));
        starts.Add(0);
        return [.. starts];
    }

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true)]
    private static partial int Execute(byte* path, nint* arguments, nint* environment);
}
