using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>Two hosts with a container each, whose root file system is a Debian release's.</summary>
public abstract class ImageLab : RootLab
{
    public const string ServerHost = "h2", ServerNode = "h2c1";
    public const string ClientHost = "h1", ClientNode = "h1c1";

    private string? _missing;

    protected ImageLab(string suite)
        : base("root-" + suite) => Build(() =>
        {
            (var root, _missing) = RootOf(suite);
            if (root is null)
                return;
            Hosts.Up(new LabOptions { Hosts = 2, Containers = 1, Roots = [root] });
            foreach (var host in new[] { ClientHost, ServerHost })
                BringPrograms(Hosts.Paths.FreeflowDirectory(host));
        });

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
