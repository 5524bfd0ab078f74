using Freeflow.EndToEnd.Tests.Security;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>A lab beside the shared one whose routers show certificates, and in which each router goes by a clock of its own.</summary>
public sealed class ClockLab : LabFixture
{
    private readonly HostCertificates _certificates = new(2);

    public ClockLab()
        : base("clock")
    {
        Set("h1", "+0");
        Set("h2", "+0");
        Hosts.Up(new()
        {
            Hosts = 2,
            Containers = 2,
            Settings = _certificates.Settings,
            Environment =
            [
                // The loader knows what $LIB is on this machine.
                "FREEFLOW_LAB_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
                $"FAKETIME_TIMESTAMP_FILE={Clock(LabSettings.Host)}", "FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1",
            ],
        });
    }

    /// <summary>Sets a router's clock within a second.</summary>
    /// <param name="host">Whose.</param>
    /// <param name="difference">To the machine's, as faketime(1) takes it: +3h.</param>
    public void Set(string host, string difference)
    {
        File.WriteAllText(Clock(host) + ".new", difference + "\n");
        File.Move(Clock(host) + ".new", Clock(host), overwrite: true);
    }

    public override void Dispose()
    {
        base.Dispose();
        _certificates.Dispose();
    }

    private string Clock(string host) => Path.Combine(_certificates.Scratch, "clock-" + host);
}
