namespace Freeflow.Lab;

/// <summary>The machine's /freeflow, on which every host of every lab mounts its own. It goes with the last lab.</summary>
internal static class MountPoint
{
    private const string Path = "/freeflow";
    private const string LockFile = "/run/freeflow-lab.lock";
    private static readonly TimeSpan s_lockWithin = TimeSpan.FromSeconds(60);

    /// <summary>Makes the directory, and runs what starts the first process of a lab: from then on it is in use.</summary>
    public static void MakeAndUse(Action start)
    {
        using var locked = Lock();
        Directory.CreateDirectory(Path);
        start();
    }

    /// <summary>Removing it would take the mounts on it from the hosts of another lab.</summary>
    public static void RemoveUnlessUsed()
    {
        using var locked = Lock();
        if (Directory.Exists(Path) && !LabProcesses.OfAnyLab().Any() && !Directory.EnumerateFileSystemEntries(Path).Any())
            Directory.Delete(Path);
    }

    /// <summary>Keeps the labs of other processes, and of other threads of this one, from doing either meanwhile.</summary>
    private static FileStream Lock()
    {
        FileStream? locked = null;
        WaitFor.That($"the lock of {LockFile}", s_lockWithin, () => (locked = TryLock()) is not null);
        return locked!;
    }

    private static FileStream? TryLock()
    {
        try
        {
            return new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
