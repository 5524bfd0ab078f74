using System.Diagnostics;

namespace Freeflow.TestRun;

/// <summary>The checkout that the tests were built from.</summary>
internal sealed record Repository(string Root)
{
    public string Artifacts => Path.Combine(Root, "artifacts");

    /// <summary>The results of the suites of the last run, as the trx logger leaves them.</summary>
    public string Results => Path.Combine(Artifacts, "test");

    public static Repository Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Freeflow.sln")))
                return new Repository(at.FullName);
        }

        throw new InvalidOperationException("the repository can't be found above " + AppContext.BaseDirectory);
    }

    /// <summary>Forgets the results of the run before.</summary>
    public void Begin()
    {
        if (Directory.Exists(Results))
            Directory.Delete(Results, recursive: true);
        Directory.CreateDirectory(Results);
    }

    /// <summary>The commit's hash; empty without git.</summary>
    public string Commit() => Git("rev-parse", "HEAD");

    /// <summary>Whether the working tree is the commit's; false without git.</summary>
    public bool IsClean() => Commit().Length > 0 && Git("status", "--porcelain").Length == 0;

    private string Git(params string[] arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["-C", Root, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? output : "";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "";
        }
    }
}
