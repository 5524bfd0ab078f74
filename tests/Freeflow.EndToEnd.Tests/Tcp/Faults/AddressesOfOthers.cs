using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Faults;

/// <summary>A container that gives itself an address that another one has gets nothing by it.</summary>
public sealed class AddressesOfOthers(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18850;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private static string Program => LabFixture.TestProgram("tcp-crowd");

    [Theory]
    [InlineData("h2c2")]
    [InlineData("h1c2")]
    public void AreNotServedToAnImpostor(string rightful)
    {
        var address = LabFixture.AddressOf(rightful);
        using var server = lab.StartListening(rightful, Port, Program, "answer", Port.ToString());
        new Acceleration(lab, "h1c1", rightful).AwaitListener(Port);
        SetUp("ip", "address", "add", address + "/32", "dev", "eth0");
        try
        {
            // The impostor listens there too, and never answers.
            using var impostor = lab.StartListening("h1c3", Port, Program, "slow", Port.ToString(), "8");
            WaitFor.That("the impostor's claim in the log", s_bound,
                () => lab.RouterLog("h1").Contains($"Directory: {address} is in use"));
            var before = TcpCounters.Of(lab, "h1");
            var asked = lab.Hosts.Exec("h1c1", s_bound, "env", "FREEFLOW_LOG=debug", Program, "ask", address, Port.ToString(), "20");
            Assert.True(asked.Output == "answered 20 refused 0 reset 0 unanswered 0\n", asked.Everything);
            Assert.Equal(20, TcpCounters.Of(lab, "h1").Announced - before.Announced);
        }
        finally
        {
            SetUp("ip", "address", "del", address + "/32", "dev", "eth0");
        }
    }

    private void SetUp(params string[] command)
    {
        var result = lab.Hosts.ExecPrivileged("h1c3", s_bound, command);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
