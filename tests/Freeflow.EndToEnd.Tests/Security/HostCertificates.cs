using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Security;

/// <summary>The certificates of a lab's hosts, made by the command, each host's in a directory of its own.</summary>
public sealed class HostCertificates : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly LabPaths _paths = LabPaths.Find();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-hosts");
    private int _authorities;

    public HostCertificates(int hosts)
    {
        NewAuthority();
        for (var host = 1; host <= hosts; host++)
        {
            Directory.CreateDirectory(Path.Combine(_directory.FullName, LabLayout.Host(host)));
            Renew(LabLayout.Host(host));
            Trust(LabLayout.Host(host), CurrentAuthority);
        }
    }

    /// <summary>What every router is given.</summary>
    public LabSettings Settings =>
    [
        $"freeflow.tls.ca={Path.Combine(_directory.FullName, LabSettings.Host, "ca.pem")}",
        $"freeflow.tls.certificate={Path.Combine(_directory.FullName, LabSettings.Host, "own.pem")}",
        $"freeflow.tls.key={Path.Combine(_directory.FullName, LabSettings.Host, "own-key.pem")}",
    ];

    public string CurrentAuthority => AuthorityOf(_authorities);

    /// <summary>For what else a test has to write.</summary>
    public string Scratch => _directory.FullName;

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>From now on others are issued by another CA. Returns the one before.</summary>
    public string NewAuthority()
    {
        var before = CurrentAuthority;
        _authorities++;
        Freeflow("init", CurrentAuthority);
        return before;
    }

    /// <summary>Puts a new certificate in the place of a host's.</summary>
    public void Renew(string host)
    {
        var made = Path.Combine(_directory.FullName, Guid.NewGuid().ToString("N"));
        Freeflow("issue", CurrentAuthority, host, "--address", LabLayout.UnderlayAddress(host[1] - '0'), "--out", made);
        foreach (var suffix in (string[])["-key.pem", ".pem"])
            File.Move(Path.Combine(made, host + suffix), Path.Combine(_directory.FullName, host, "own" + suffix), overwrite: true);
    }

    public void Trust(string host, params string[] authorities)
    {
        var file = Path.Combine(_directory.FullName, host, "ca.pem");
        File.WriteAllText(file + ".new", string.Concat(authorities.Select(authority => File.ReadAllText(Path.Combine(authority, "ca.pem")))));
        File.Move(file + ".new", file, overwrite: true);
    }

    private string AuthorityOf(int number) => Path.Combine(_directory.FullName, $"authority{number}");

    private void Freeflow(params string[] words)
    {
        var result = Shell.Run(s_bound, null, [_paths.RouterProgram, "ca", .. words]);
        if (result.ExitCode != 0)
            throw new LabException(result.Everything);
    }
}
