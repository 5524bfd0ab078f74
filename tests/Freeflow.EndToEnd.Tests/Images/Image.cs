using Freeflow.EndToEnd.Tests.Tcp;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>What holds in every image: the library loads, programs do as without it, and their connections are carried.</summary>
public abstract class Image(ImageLab lab)
{
    private const int Iperf3Port = 5201;
    private const int HttpPort = 8000;
    private const int ExchangePort = 7000;

    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    [SkippableFact]
    public void TheLibraryLoads()
    {
        lab.MustBeThere();
        var result = lab.Run(ImageLab.ClientNode, preloaded: true, "FREEFLOW_LOG=debug true && grep -c libfsocket.so /proc/self/maps");
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.All(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("freeflow: ", line));
    }

    [SkippableTheory]
    // A link in sysfs has the time of a look at it, and of the first two each its own.
    [InlineData("ls -l /etc && ls -l --time-style=+ /sys/class/net")]
    [InlineData("stat -c '%n %F %s %t:%T' /dev/null /etc/passwd /sys/class/net")]
    [InlineData("cat /etc/passwd | sort | uniq -c | tail -3")]
    [InlineData("find /sys/class/net -maxdepth 1 | sort")]
    [InlineData("exec 3>&1 4>&3; echo four >&4; exec 3>&- 4>&-; ls /proc/self/fd | wc -l")]
    [InlineData("for i in 1 2 3; do (echo $i & wait); done")]
    [InlineData("tar cf - /etc/hostname /etc/passwd 2>/dev/null | tar tf -")]
    [InlineData("perl -e 'for (1..50) { my $p = fork; exit 0 unless $p; waitpid $p, 0 } print \"forked\\n\"'")]
    [InlineData("python3 -c 'import os, socket, subprocess, tempfile; print(subprocess.run([\"id\"], capture_output=True), socket.socketpair()[0].fileno(), os.stat(\"/\").st_mode)'")]
    [InlineData("apt-cache policy base-files; dpkg -S /bin/ls")]
    // Functions whose meaning changed with their version: realpath took no NULL once, and glob passed over dangling links.
    [InlineData("python3 -c 'import ctypes; c = ctypes.CDLL(None); c.realpath.restype = ctypes.c_char_p; print(c.realpath(b\"/etc/../etc/passwd\", None))'")]
    [InlineData("ln -sf nowhere /tmp/dangling; python3 -c 'import ctypes; b = ctypes.create_string_buffer(256); print(ctypes.CDLL(None).glob(b\"/tmp/dangling\", 0, None, b), b.raw[0])'")]
    public void ProgramsSeeNoDifference(string script)
    {
        lab.MustBeThere();
        Assert.Equal(lab.Run(ImageLab.ClientNode, preloaded: false, script), lab.Run(ImageLab.ClientNode, preloaded: true, script));
    }

    [SkippableTheory]
    [InlineData("files")]
    [InlineData("descriptors")]
    [InlineData("memory")]
    [InlineData("threads")]
    [InlineData("sockets")]
    public void MuslProgramsSeeNoDifference(string exercise)
    {
        lab.MustBeThere();
        var script = $"{ImageLab.ProgramInside("ordinary-calls")} {exercise}";
        var without = lab.Run(ImageLab.ClientNode, preloaded: false, script);
        Assert.True(without.ExitCode == 0, without.Everything);
        Assert.Equal(without, lab.Run(ImageLab.ClientNode, preloaded: true, script));
    }

    [SkippableFact]
    public void Iperf3IsAccelerated()
    {
        lab.MustBeThere();
        using var server = lab.StartListening(ImageLab.ServerNode, Iperf3Port, "iperf3", "-s");
        // A connection for control and one for data.
        MustBeAccelerated(server, connections: 2, "iperf3", "-c", LabFixture.AddressOf(ImageLab.ServerNode), "-t", "1");
    }

    [SkippableFact]
    public void HttpByPythonIsAccelerated()
    {
        lab.MustBeThere();
        var address = LabFixture.AddressOf(ImageLab.ServerNode);
        using var server = lab.StartListening(ImageLab.ServerNode, HttpPort, "python3", "-m", "http.server", "--directory", "/etc", $"{HttpPort}");
        var got = MustBeAccelerated(server, connections: 1, "python3", "-c",
            $"import http.client as h; c = h.HTTPConnection('{address}', {HttpPort}, timeout=10); c.request('GET', '/debian_version'); print(c.getresponse().read().decode(), end='')");
        Assert.Equal(lab.Run(ImageLab.ClientNode, preloaded: false, "cat /etc/debian_version").Output, got);
    }

    [SkippableFact]
    public void MuslProgramsAreAccelerated()
    {
        lab.MustBeThere();
        var program = ImageLab.ProgramInside("tcp-exchange");
        using var server = lab.StartListening(ImageLab.ServerNode, ExchangePort, program, "serve", $"{ExchangePort}", "1000");
        MustBeAccelerated(server, connections: 1, program, "send", LabFixture.AddressOf(ImageLab.ServerNode), $"{ExchangePort}", "10000000");
    }

    /// <summary>
    /// Runs a client, which must always succeed, until its connections are seen at both routers: a listener becomes known to
    /// the other hosts a moment after it first waits, and until then its connections take the overlay. Returns what the
    /// client said in that run.
    /// </summary>
    private string MustBeAccelerated(BackgroundProgram server, long connections, params string[] client)
    {
        ProgramResult result = null!;
        long announced = 0, delivered = 0;
        WaitFor.That($"{connections} accelerated connections of {client[0]}", s_bound, () =>
        {
            var (announcedBefore, deliveredBefore) = (TcpCounters.Of(lab, ImageLab.ClientHost).Announced, TcpCounters.Of(lab, ImageLab.ServerHost).Delivered);
            result = lab.Hosts.Exec(ImageLab.ClientNode, s_bound, client);
            Assert.True(result.ExitCode == 0, $"{result.Everything}\nserver: {(server.HasExited ? server.Wait(TimeSpan.Zero).Everything : "runs")}");
            announced = TcpCounters.Of(lab, ImageLab.ClientHost).Announced - announcedBefore;
            delivered = TcpCounters.Of(lab, ImageLab.ServerHost).Delivered - deliveredBefore;
            return announced >= connections && delivered >= connections;
        }, () => $"{announced} announced, {delivered} delivered");
        Assert.False(server.HasExited, "the server has ended");
        return result.Output;
    }
}
