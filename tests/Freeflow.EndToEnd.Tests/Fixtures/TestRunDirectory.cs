using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Fixtures;

/// <summary>
/// Where this run keeps the state of its labs. No other run uses it, and a run that finds the directory of one that was
/// killed takes down the labs in it.
/// </summary>
internal static class TestRunDirectory
{
    private const string Parent = "/run/freeflow-tests";
    private const string LockFile = "lock";

    private static readonly Lazy<string> s_path = new(Make);
    private static FileStream? s_lock;

    /// <summary>The state directory of a lab.</summary>
    public static LabPaths PathsOf(string lab) => LabPaths.Find() with { State = Path.Combine(s_path.Value, lab) };

    public static void Remove()
    {
        if (!s_path.IsValueCreated)
            return;
        TakeDownAll(s_path.Value);
        s_lock?.Dispose();
        Directory.Delete(s_path.Value, recursive: true);
    }

    private static string Make()
    {
        Directory.CreateDirectory(Parent);
        foreach (var left in Directory.GetDirectories(Parent))
            RemoveIfLeft(left);
        var path = Path.Combine(Parent, Environment.ProcessId.ToString());
        Directory.CreateDirectory(path);
        s_lock = Lock(path) ?? throw new LabException($"{path} is another run's");
        return path;
    }

    private static void RemoveIfLeft(string directory)
    {
        using var taken = Lock(directory);
        if (taken is null)
            return;
        TakeDownAll(directory);
        Directory.Delete(directory, recursive: true);
    }

    private static void TakeDownAll(string directory)
    {
        foreach (var state in Directory.GetDirectories(directory))
            new LabHosts(LabPaths.Find() with { State = state }).Down();
    }

    /// <summary>Holds the directory's lock; null where a run that lives holds it. The kernel frees it when its process ends.</summary>
    private static FileStream? Lock(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
