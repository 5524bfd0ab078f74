using System.Diagnostics;
using System.Text;

namespace Freeflow.Lab;

/// <summary>The processes of a lab: found by the mark in their environment, so that nothing is left and nobody else is touched.</summary>
public sealed class LabProcesses(LabPaths paths)
{
    /// <summary>The environment variable that says what a process is there for.</summary>
    public const string Role = "FREEFLOW_LAB_ROLE";

    /// <summary>Ends them all. Ending the first process of a pid namespace ends everything in it.</summary>
    public void EndAll()
    {
        var killed = new HashSet<int>();
        List<int> left = [];
        WaitFor.That(
            "the end of the lab's processes",
            () =>
            {
                left = [.. Marked().Union(killed.Where(pid => !HasEnded(pid)))];
                foreach (var pid in left.Where(killed.Add))
                    Kill(pid, "KILL");
                return left.Count == 0;
            },
            () => string.Join(", ", left));
    }

    /// <summary>The lab's processes that carry <paramref name="role"/> in their environment.</summary>
    public IEnumerable<int> WithRole(string role) => Marked().Where(pid => EnvironmentOf(pid).Contains($"\0{Role}={role}\0"));

    /// <summary>The programs that somebody has started in the lab's hosts and containers, with their names: what holds the lab up has a role.</summary>
    public IEnumerable<(int Pid, string Name)> WithoutRole()
    {
        foreach (var pid in Marked())
        {
            if (!EnvironmentOf(pid).Contains("\0FREEFLOW_LAB_ROLE=") && NameOf(pid) is { } name)
                yield return (pid, name);
        }
    }

    /// <summary>The lab's processes in the same pid namespace as <paramref name="first"/>, with their names.</summary>
    public IEnumerable<(int Pid, string Name)> SharingPidsWith(int first)
    {
        var wanted = new FileInfo($"/proc/{first}/ns/pid").LinkTarget;
        foreach (var pid in Marked())
        {
            string? found = null;
            try
            {
                found = new FileInfo($"/proc/{pid}/ns/pid").LinkTarget;
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }

            if (found == wanted && NameOf(pid) is { } name)
                yield return (pid, name);
        }
    }

    /// <summary>The processes of whichever labs are up on this machine, but for virtual machines, which have mounted nothing here.</summary>
    public static IEnumerable<int> OfAnyLab() =>
        from directory in Directory.EnumerateDirectories("/proc")
        let pid = int.TryParse(Path.GetFileName(directory), out var number) ? number : 0
        where pid > 0 && pid != Environment.ProcessId
        let environment = EnvironmentOf(pid)
        where environment.Contains($"\0{LabPaths.Mark}=") && !environment.Contains($"\0{Role}={VirtualMachines.VirtualMachine.Role}") && !HasEnded(pid)
        select pid;

    public static void Kill(int pid, string signal)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", [$"-{signal}", pid.ToString()]) { RedirectStandardError = true })!;
        kill.WaitForExit();
    }

    private IEnumerable<int> Marked()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out var pid) && pid != Environment.ProcessId
                && EnvironmentOf(pid).Contains($"\0{LabPaths.Mark}={paths.State}\0") && !HasEnded(pid))
                yield return pid;
        }
    }

    /// <summary>Null when it has ended.</summary>
    public static string? NameOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether a process has ended with all of its threads, and holds no descriptor any more. A killed one that is ending has no
    /// environment already, by which it would be found, and its first thread is a zombie while others go on.
    /// </summary>
    public static bool HasEnded(int pid)
    {
        try
        {
            var status = File.ReadAllText($"/proc/{pid}/stat");
            return status[(status.LastIndexOf(')') + 2)..].StartsWith('Z') && Directory.GetDirectories($"/proc/{pid}/task").Length <= 1;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static string EnvironmentOf(int pid)
    {
        try
        {
            return "\0" + Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/environ"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
