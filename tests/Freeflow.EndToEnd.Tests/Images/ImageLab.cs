using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>Two hosts with a container each, whose root file system is a Debian release's.</summary>
public abstract class ImageLab : LabFixture
{
    public const string ServerHost = "h2", ServerNode = "h2c1";
    public const string ClientHost = "h1", ClientNode = "h1c1";

    /// <summary>The status by which debian-root says that there is no such root to be had on this machine.</summary>
    private const int Unavailable = 77;

    private static readonly TimeSpan s_makeWithin = TimeSpan.FromMinutes(15);

    private readonly string? _missing;

    protected ImageLab(string suite)
        : base("root-" + suite)
    {
        var made = Shell.Run(s_makeWithin, null, Path.Combine(Hosts.Paths.Repository, "Freeflow.Lab/debian-root"), suite);
        if (made.ExitCode == Unavailable)
        {
            _missing = made.Errors.Trim();
            return;
        }

        try
        {
            if (made.ExitCode != 0)
                throw new LabException($"no root of {suite}: {made.Everything}");
            Hosts.Up(new LabOptions { Hosts = 2, Containers = 1, Root = made.Output.Trim() });
            foreach (var host in new[] { ClientHost, ServerHost })
                BringPrograms(Hosts.Paths.FreeflowDirectory(host));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Skips the test where the release can't be had.</summary>
    public void MustBeThere() => Skip.If(_missing is not null, _missing);

    /// <summary>A test program as the containers see it. musl's, since the build's own glibc may be younger than the image's.</summary>
    public static string ProgramInside(string name) => $"/freeflow/{name}-musl";

    /// <summary>Runs a shell script in a container, with the preload or as `lab exec --plain` does.</summary>
    public ProgramResult Run(string node, bool preloaded, string script)
    {
        string[] plain = preloaded ? [] : ["--plain"];
        return Shell.Run(
            TimeSpan.FromSeconds(60), new Dictionary<string, string> { ["FREEFLOW_LAB_DIR"] = Hosts.Paths.State },
            [Path.Combine(Hosts.Paths.Repository, "lab"), "exec", .. plain, node, "--", "sh", "-c", script]);
    }

    private static void BringPrograms(string freeflow)
    {
        foreach (var program in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "programs"), "*-musl"))
            File.Copy(program, Path.Combine(freeflow, Path.GetFileName(program)), overwrite: true);
    }
}
