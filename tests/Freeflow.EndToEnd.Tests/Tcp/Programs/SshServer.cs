namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>Keys and configuration for an sshd and its clients that have nothing to do with the machine's own.</summary>
public sealed class SshServer : IDisposable
{
    private const int Port = 2222;

    private readonly ScratchDirectory _scratch = new();

    /// <param name="environment">What a login gets of environment, as NAME=VALUE words.</param>
    public SshServer(LabFixture lab, Placement placement, string environment = "")
    {
        try
        {
            foreach (var key in new[] { "host", "user" })
                Freeflow.Lab.Shell.Script($"ssh-keygen -q -t ed25519 -N '' -f {_scratch[key]}");
            var configuration = _scratch.Write("sshd_config", $"""
                Port {Port}
                HostKey {_scratch["host"]}
                AuthorizedKeysFile {_scratch["user.pub"]}
                StrictModes no
                UsePAM no
                PasswordAuthentication no
                PermitRootLogin yes
                PidFile none
                MaxStartups 50
                {(environment.Length > 0 ? "SetEnv " + environment : "")}
                """);
            Client = _scratch.WriteScript("ssh", $"""
                exec /usr/bin/ssh -F {_scratch.Write("ssh_config", $"""
                    Port {Port}
                    User root
                    IdentityFile {_scratch["user"]}
                    IdentitiesOnly yes
                    BatchMode yes
                    StrictHostKeyChecking no
                    UserKnownHostsFile /dev/null
                    LogLevel ERROR
                    """)} "$@"
                """);

            // Where sshd confines the process that speaks before anybody has logged in; the service's start makes it else.
            Directory.CreateDirectory("/run/sshd");
            Program = new ServerProgram(lab, placement, Port, "/usr/sbin/sshd", "-D", "-e", "-f", configuration);
        }
        catch
        {
            _scratch.Dispose();
            throw;
        }
    }

    public ServerProgram Program { get; }

    /// <summary>An ssh that knows the server's port and the user's key.</summary>
    public string Client { get; }

    public void Dispose()
    {
        Program.Dispose();
        _scratch.Dispose();
    }
}
