using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Identity;

/// <summary>GIDs are what the container's network namespace has, now; nothing that the container says about itself.</summary>
public sealed class AddressesAreFollowed(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    [Fact]
    public void AnAddedAddressBecomesAGidAndARemovedOneGoes()
    {
        const string Container = "h1c3";
        // Something that keeps the container known to its router.
        using var holder = lab.StartListening(Container, 18515, "ib_write_bw");
        SetUp(Container, "ip", "address", "add", "10.244.1.99/24", "dev", "eth0");
        WaitFor.That("::ffff:10.244.1.99 among the GIDs", s_bound, () => Gids(Container).Contains("::ffff:10.244.1.99"));
        WaitFor.That("10.244.1.99 in the other host's directory", s_bound,
            () => lab.Status("h2").GetProperty("Addresses").TryGetProperty("10.244.1.99", out _));
        SetUp(Container, "ip", "address", "del", "10.244.1.99/24", "dev", "eth0");
        WaitFor.That("::ffff:10.244.1.99 no more among the GIDs", s_bound, () => !Gids(Container).Contains("::ffff:10.244.1.99"));
        WaitFor.That("10.244.1.99 out of the other host's directory", s_bound,
            () => !lab.Status("h2").GetProperty("Addresses").TryGetProperty("10.244.1.99", out _));
    }

    [Fact]
    public void AContainerThatNamesAnotherRouterSeesNoDevice()
    {
        var result = lab.Hosts.Exec("h1c1", s_bound, "env", "FFR_NAME=elsewhere", "FREEFLOW_LOG=debug", "ibv_devices");
        Assert.DoesNotContain("rxe_ff0", result.Output);
        Assert.Contains("freeflow", result.Errors);
    }

    [Fact]
    public void AnAddressThatNobodyHasIsRefusedWithinABound()
    {
        // A QP that asks for 10.244.9.9, which the directory does not know: ETIMEDOUT, as from a kernel that finds no neighbour.
        using var server = lab.StartListening("h2c1", 18515, "ibv_rc_pingpong", "-g", "0");
        var result = lab.Hosts.Exec("h1c1", TimeSpan.FromSeconds(20), "bash", "-c",
            $"printf '0000:000001:000001:00000000000000000000ffff0af40909\\0' > /dev/tcp/{LabFixture.AddressOf("h2c1")}/18515");
        Assert.True(result.ExitCode == 0, result.Everything);
        var ended = server.Wait(TimeSpan.FromSeconds(20));
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("Failed to modify QP to RTR", ended.Errors);
    }

    private string Gids(string container) => Exec(container, "ibv_devinfo", "-v");

    private void SetUp(string container, params string[] command)
    {
        var result = lab.Hosts.ExecPrivileged(container, s_bound, command);
        Assert.True(result.ExitCode == 0, result.Everything);
    }

    private string Exec(string container, params string[] command)
    {
        var result = lab.Hosts.Exec(container, s_bound, command);
        Assert.True(result.ExitCode == 0, result.Everything);
        return result.Output;
    }
}
