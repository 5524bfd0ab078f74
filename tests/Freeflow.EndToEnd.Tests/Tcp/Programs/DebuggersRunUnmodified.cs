namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>Programs that another one traces or stops while they make and take connections.</summary>
public sealed class DebuggersRunUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 8100;
    private const int Length = 300_000;

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void StraceOnBothEnds(Placement placement)
    {
        using var scratch = new ScratchDirectory();
        using var server = Serve(scratch, placement, "strace", "-f", "-o", scratch["server"]);
        server.Run("strace", "-f", "-o", scratch["client"], "sh", "-c", $"curl -sSf -o {scratch["got"]} {Url(server)}");
        scratch.MustBeEqual("www/file", "got");
        Assert.Matches(@"connect\(\d+, ", File.ReadAllText(scratch["client"]));
        Assert.Matches(@"listen\(\d+, ", File.ReadAllText(scratch["server"]));
        server.MustHaveAccelerated(1);
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void GdbThatStopsInTheMiddle(Placement placement)
    {
        using var scratch = new ScratchDirectory();
        using var server = Serve(scratch, placement);
        var said = server.Run(
            "gdb", "-batch", "-nx", "-iex", "set debuginfod enabled off", "-ex", "catch syscall connect", "-ex", "run", "-ex", "backtrace", "-ex", "delete",
            "-ex", "continue", "--args", "curl", "-sSf", "-o", scratch["got"], Url(server));
        Assert.Matches(@"Catchpoint 1 \(call to syscall connect\)", said);
        Assert.Matches(@"\[Inferior 1 \(process \d+\) exited normally\]", said);
        scratch.MustBeEqual("www/file", "got");
        server.MustHaveAccelerated(1);
    }

    private ServerProgram Serve(ScratchDirectory scratch, Placement placement, params string[] under)
    {
        var directory = scratch.MakeDirectory("www");
        scratch.WriteNoise("www/file", Length);
        return new ServerProgram(lab, placement, Port, [.. under, .. PythonRunsUnmodified.HttpServer(Port, directory)]);
    }

    private static string Url(ServerProgram server) => $"http://{server.Address}:{Port}/file";
}
