namespace Freeflow.Lab;

/// <summary>Where the lab keeps what it needs. Everything it writes lies below <see cref="State"/>.</summary>
public sealed record LabPaths(string Repository, string State)
{
    /// <summary>The environment variable by which every process of a lab is found again, whatever happened to its parents.</summary>
    public const string Mark = "FREEFLOW_LAB_OF";

    public string RouterProgram => Path.Combine(Repository, "artifacts/bin/Freeflow.Router/release/freeflow");

    /// <summary>Starts a router that must join anew.</summary>
    public string RouterSupervisor => Path.Combine(Repository, "Freeflow.Lab/supervise");

    public string ShimLibrary => Path.Combine(Repository, "artifacts/bin/Freeflow.Shim/release/libfsocket.so");

    public string LabConfiguration => Path.Combine(Repository, "hocon/lab.conf");

    public static LabPaths Find()
    {
        var state = Environment.GetEnvironmentVariable("FREEFLOW_LAB_DIR") is { Length: > 0 } given ? given : "/run/freeflow-lab";
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Freeflow.sln")))
                return new LabPaths(at.FullName, state);
        }

        throw new LabException("the repository can't be found above " + AppContext.BaseDirectory);
    }

    /// <summary>Holds the pid of the first process in a host's or container's namespaces.</summary>
    public string NodeFile(string node) => Path.Combine(State, "nodes", node);

    /// <summary>Holds what the lab was built with.</summary>
    public string OptionsFile => Path.Combine(State, "options.json");

    /// <summary>What the host's containers mount as /freeflow.</summary>
    public string FreeflowDirectory(string host) => Path.Combine(State, host, "freeflow");

    public string RouterLog(string host) => Path.Combine(State, host, "router.log");
}

/// <summary>The lab can't do what it was asked; the message says why.</summary>
public class LabException(string message) : Exception(message);
