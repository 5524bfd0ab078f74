using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Security;

/// <summary>A router on the second host, at an address of its own, that asks to join the first one's cluster; until it is disposed.</summary>
internal sealed class StrangersRouter : IDisposable
{
    private static readonly TimeSpan s_endsWithin = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-stranger");
    private readonly LabFixture _lab;
    private readonly string _address;
    private readonly Task<ProgramResult> _run;

    public StrangersRouter(LabFixture lab, string address, params string[] settings)
        : this(lab, address, settings, fault: "")
    {
    }

    /// <param name="lab">Whose cluster it asks.</param>
    /// <param name="address">Its own.</param>
    /// <param name="settings">Beside those that it needs, KEY=VALUE.</param>
    /// <param name="fault">FREEFLOW_FAULT.</param>
    public StrangersRouter(LabFixture lab, string address, string[] settings, string fault)
    {
        (_lab, _address) = (lab, address);
        var all = string.Concat(settings.Select(setting => $" --set {setting}"));
        _run = Task.Run(() => lab.Hosts.ExecPrivileged("h2", TimeSpan.FromSeconds(300), "sh", "-c", $"""
            ip address add {address}/24 dev eth0 || exit 1
            env -u HOST_IP_PREFIX HOST_IP={address} FREEFLOW_SEEDS={LabLayout.UnderlayAddress(1)} FFR_NAME=stranger FREEFLOW_FAULT={fault} timeout -k 5 250 freeflow run \
                --config {lab.Hosts.Paths.LabConfiguration} --set freeflow.admin.port=0 --set freeflow.directory={_directory.FullName} \
                --set freeflow.runtime-directory={_directory.FullName}{all} >{Log} 2>&1 &
            while [ ! -e {Stop} ] && kill -0 $! 2>/dev/null; do sleep 0.1; done
            kill $!; wait $!
            ip address del {address}/24 dev eth0
            """));
    }

    public string Says => File.Exists(Log) ? File.ReadAllText(Log) : "";

    private string Log => Path.Combine(_directory.FullName, "log");

    private string Stop => Path.Combine(_directory.FullName, "stop");

    /// <summary>What it tells of its cluster.</summary>
    public string Status() => Ask("status");

    /// <summary>What it says to a command.</summary>
    public string Ask(string command) =>
        _lab.Hosts.ExecPrivileged("h2", TimeSpan.FromSeconds(60), "env", "FFR_NAME=stranger", $"FREEFLOW_RUNTIME_DIR={_directory.FullName}", "freeflow", command).Output;

    public void Dispose()
    {
        File.WriteAllText(Stop, "");
        var ended = _run.Wait(s_endsWithin);
        _directory.Delete(recursive: true);
        if (!ended)
            throw new LabException($"the router at {_address} does not end");
    }
}
