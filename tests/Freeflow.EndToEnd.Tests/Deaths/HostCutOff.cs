using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>A host whose cable is out of the switch, until it is disposed.</summary>
public sealed class HostCutOff : IDisposable
{
    private readonly LabFixture _lab;
    private readonly int _host;

    public HostCutOff(LabFixture lab, int host)
    {
        (_lab, _host) = (lab, host);
        OnTheSwitch("nomaster");
    }

    public void Dispose() => OnTheSwitch("master underlay");

    private void OnTheSwitch(string change) =>
        Shell.Script($"nsenter -t {new LabNetwork(_lab.Hosts.Paths, new LabOptions()).PidOf(LabLayout.Switch)} -n ip link set ff-u{_host} {change}");
}
