using System.Diagnostics;
using Freeflow.Lab;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>These tests run as root, who is privileged.</summary>
[Trait("Tier", "Loop")]
public sealed class PrivilegesAreSeen : IDisposable
{
    private const int NetAdmin = 12;

    private readonly NetworkNamespace _own = NetworkNamespace.Own();

    public void Dispose() => _own.Dispose();

    [SkippableFact]
    public void OfAProcessThatCanBeSeen()
    {
        SkipWithoutPrivileges();
        Harmful(Environment.ProcessId, [], "CAP_NET_ADMIN");
    }

    [SkippableFact]
    public void OfAProcessThatHasPassedItsStatus()
    {
        SkipWithoutPrivileges();
        Harmful(0, ["/proc/self/status"], "CAP_NET_ADMIN");
        Harmful(0, ["/proc/thread-self/status"], "CAP_NET_ADMIN");
    }

    [SkippableTheory]
    [InlineData("--bounding-set=-net_admin", true)]
    [InlineData("--reuid=65534 --clear-groups", false)]
    [InlineData("--inh-caps=+net_admin setpriv --bounding-set=-net_admin", false)]
    public void AtWhatIsPermittedAndAtTheBoundingSet(string options, bool isHarmless)
    {
        SkipWithoutPrivileges();
        using var process = Start(options);
        try
        {
            var expected = isHarmless ? "" : "it has CAP_NET_ADMIN";
            Assert.Equal(isHarmless, ProcessPrivileges.AreHarmless(process.Id, [], _own, out var reason));
            Assert.StartsWith(expected, reason);
            using var status = File.OpenHandle($"/proc/{process.Id}/status");
            Assert.Equal(isHarmless, ProcessPrivileges.AreHarmless(0, [status], _own, out reason));
            Assert.StartsWith(expected, reason);
        }
        finally
        {
            process.Kill();
        }
    }

    [SkippableTheory]
    [InlineData("/proc/self/stat")]
    [InlineData("/proc/self/maps")]
    [InlineData("/proc/self/environ")]
    [InlineData("/dev/null")]
    [InlineData("/etc/passwd")]
    public void NotInAnotherFile(string file) => Harmful(0, [file], "can't be seen");

    [SkippableFact]
    public void NotInAFileThatLooksAlike()
    {
        var directory = Directory.CreateTempSubdirectory("freeflow-privileges");
        try
        {
            var forged = Path.Combine(directory.FullName, "status");
            File.WriteAllText(forged, "CapPrm:\t0000000000000000\nCapBnd:\t0000000000000000\n");
            Harmful(0, [forged], "can't be seen");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [SkippableFact]
    public void NotInNothingOrInSeveral()
    {
        Harmful(0, [], "can't be seen");
        Harmful(0, ["/proc/self/status", "/proc/self/status"], "can't be seen");
    }

    [SkippableFact]
    public void NotInAPipe()
    {
        SkipElsewhere();
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        using var handle = new SafeFileHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        Assert.False(ProcessPrivileges.AreHarmless(0, [handle], _own, out _));
    }

    [SkippableFact]
    public void NotOfAProcessThatHasEnded()
    {
        using var process = Start("--reset-env");
        process.Kill();
        process.WaitForExit();
        SkipElsewhere();
        Assert.False(ProcessPrivileges.AreHarmless(process.Id, [], _own, out var reason));
        Assert.Contains("can't be seen", reason);
    }

    /// <summary>Sleeps with a changed set of capabilities.</summary>
    private static Process Start(string options)
    {
        var process = Process.Start("setpriv", $"{options} sleep 60");
        WaitFor.That("setpriv", () => process.HasExited || File.ReadAllText($"/proc/{process.Id}/comm") == "sleep\n");
        Assert.False(process.HasExited);
        return process;
    }

    private void Harmful(int pid, string[] passed, string why)
    {
        SkipElsewhere();
        SafeFileHandle[] handles = [.. passed.Select(file => File.OpenHandle(file))];
        Assert.False(ProcessPrivileges.AreHarmless(pid, handles, _own, out var reason));
        Assert.Contains(why, reason);
        Array.ForEach(handles, handle => handle.Dispose());
    }

    private void SkipElsewhere() => Skip.If(
        ProcessPrivileges.AreHarmless(0, [], _own, out _), "this network namespace belongs to another user namespace than these tests do");

    private void SkipWithoutPrivileges()
    {
        SkipElsewhere();
        var bounding = File.ReadAllLines("/proc/self/status").First(line => line.StartsWith("CapBnd:", StringComparison.Ordinal));
        Skip.If((Convert.ToUInt64(bounding["CapBnd:".Length..].Trim(), 16) >> NetAdmin & 1) == 0, "these tests have no CAP_NET_ADMIN themselves");
    }
}
