using System.Net;
using System.Net.Sockets;
using Freeflow.Router.Doctor;

namespace Freeflow.Router.Tests.Doctor;

public sealed class TheDoctorFinds : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-doctor");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("6.1.0-13-amd64", Verdict.Ok)]
    [InlineData("5.4.0", Verdict.Warn)]
    [InlineData("5.3", Verdict.Warn)]
    [InlineData("5.2.21-generic", Verdict.Fail)]
    [InlineData("4.19.0+", Verdict.Fail)]
    [InlineData("hurd", Verdict.Warn)]
    public void OldKernels(string release, Verdict expected) => Assert.Equal(expected, KernelChecks.Version(release).Verdict);

    [Theory]
    [InlineData("Name:\tx\nCapEff:\t000001ffffffffff\n", "")]
    [InlineData("CapEff:\t0000000000000000\n", "CAP_NET_ADMIN CAP_SYS_ADMIN")]
    [InlineData("CapEff:\t0000000000201000\n", "")]
    [InlineData("Name:\tx\n", "")]
    public void CapabilitiesThatAreMissing(string status, string failing) =>
        Assert.Equal(failing, string.Join(' ', KernelChecks.Capabilities(status).Where(finding => finding.Verdict == Verdict.Fail).Select(finding => finding.Subject)));

    [Theory]
    [InlineData("1048576", "6.1.0", Verdict.Ok)]
    [InlineData("unlimited", "6.1.0", Verdict.Ok)]
    [InlineData("16384", "6.1.0", Verdict.Warn)]
    [InlineData("1024", "6.1.0", Verdict.Fail)]
    public void TooFewDescriptors(string hard, string release, Verdict expected) => Assert.Equal(expected, LimitChecks.Of(Limits(hard, "65536"), release).First().Verdict);

    [Theory]
    [InlineData("65536", "6.1.0", Verdict.Ok)]
    [InlineData("65536", "5.10.0", Verdict.Warn)]
    [InlineData("unlimited", "5.10.0", Verdict.Ok)]
    public void TooLittleLockedMemoryForAnOldKernel(string hard, string release, Verdict expected) =>
        Assert.Equal(expected, LimitChecks.Of(Limits("1048576", hard), release).Last().Verdict);

    [Fact]
    public void PortsThatOthersHave()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        var taken = (IPEndPoint)other.LocalEndPoint!;
        Assert.Equal(Verdict.Fail, NetworkChecks.Port("port", taken, routerRuns: false).Verdict);
        Assert.Equal(Verdict.Ok, NetworkChecks.Port("port", taken, routerRuns: true).Verdict);
        other.Dispose();
        Assert.Equal(Verdict.Ok, NetworkChecks.Port("port", taken, routerRuns: false).Verdict);
        Assert.Equal(Verdict.Fail, NetworkChecks.Port("port", taken, routerRuns: true).Verdict);
        Assert.Equal(Verdict.Fail, NetworkChecks.Port("port", new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1), routerRuns: false).Verdict);
    }

    [Fact]
    public void AddressesThatTheHostHasNot()
    {
        Assert.Equal(Verdict.Ok, NetworkChecks.Address(IPAddress.Loopback).Verdict);
        Assert.Equal(Verdict.Fail, NetworkChecks.Address(IPAddress.Parse("192.0.2.1")).Verdict);
    }

    [Theory]
    [InlineData(4482, "32768\t60999", "", false)]
    [InlineData(40000, "32768\t60999", "", true)]
    [InlineData(40000, "32768\t60999", "39999-40001", false)]
    [InlineData(40000, "32768\t60999", "1,40000\n", false)]
    [InlineData(40000, "nonsense", "x-y", false)]
    public void PortsAmongThoseOfOutgoingConnections(int port, string range, string reserved, bool isTold) =>
        Assert.Equal(isTold, NetworkChecks.InLocalRange("port", port, range, reserved) is not null);

    [Theory]
    [InlineData("", Verdict.Ok)]
    [InlineData("cubic", Verdict.Ok)]
    [InlineData("bbr", Verdict.Fail)]
    public void CongestionControlsThatAreNotThere(string wanted, Verdict expected) =>
        Assert.Equal(expected, NetworkChecks.CongestionControl(wanted, "reno cubic\n").Verdict);

    [Fact]
    public void DirectoriesThatOthersCanWrite()
    {
        var path = Path.Combine(_directory.FullName, "shared");
        Assert.Equal([Verdict.Warn], DirectoryChecks.Shared(path).Select(finding => finding.Verdict));
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        Assert.Equal([Verdict.Ok, Verdict.Warn], DirectoryChecks.Shared(path).Select(finding => finding.Verdict));
        var library = Path.Combine(path, "libfsocket.so");
        File.WriteAllText(library, "");
        File.SetUnixFileMode(library, (UnixFileMode)0b110_110_110);
        Assert.Equal([Verdict.Ok, Verdict.Fail], DirectoryChecks.Shared(path).Select(finding => finding.Verdict));
        File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
        Assert.Equal(Verdict.Fail, DirectoryChecks.Shared(path).First().Verdict);
        Assert.Equal(Verdict.Fail, DirectoryChecks.Runtime(path).Verdict);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        Assert.Equal(Verdict.Warn, DirectoryChecks.Runtime(path).Verdict);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_000_000);
        Assert.Equal(Verdict.Ok, DirectoryChecks.Runtime(path).Verdict);
        Assert.Equal(Verdict.Fail, DirectoryChecks.Shared(path).First().Verdict);
    }

    [Fact]
    public void DevicesThatAreLeftOver()
    {
        var (devices, drivers) = (Path.Combine(_directory.FullName, "dev"), Path.Combine(_directory.FullName, "class"));
        Assert.Equal(Verdict.Ok, DirectoryChecks.Devices(devices, drivers).Verdict);
        Directory.CreateDirectory(devices);
        File.WriteAllText(Path.Combine(devices, "uverbs0"), "");
        Assert.Equal(Verdict.Warn, DirectoryChecks.Devices(devices, drivers).Verdict);
        Directory.CreateDirectory(Path.Combine(drivers, "uverbs0"));
        Assert.Equal(Verdict.Ok, DirectoryChecks.Devices(devices, drivers).Verdict);
    }

    [Theory]
    [InlineData("950000\n", Verdict.Ok)]
    [InlineData("0\n", Verdict.Warn)]
    public void RealTimeThreadsWithoutTime(string share, Verdict expected) => Assert.Equal(expected, KernelChecks.RealTimeShare(share).Verdict);

    private static string Limits(string files, string locked) => $"""
        Limit                     Soft Limit           Hard Limit           Units
        Max open files            1024                 {files}              files
        Max locked memory         8388608              {locked}             bytes
        """;
}
