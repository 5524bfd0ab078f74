namespace Freeflow.EndToEnd.Tests.Router;

public sealed class RouterRunsOverIPv6(LabFixture lab) : IClassFixture<LabFixture>
{
    [Fact]
    public void WithoutTcpModeAndSaysSo()
    {
        const string Address = "fd00:ff::1";
        var configuration = Path.Combine(lab.Hosts.Paths.Repository, "hocon/lab.conf");
        var result = lab.Hosts.ExecPrivileged("h1", TimeSpan.FromSeconds(120), "sh", "-c", $"""
            ip -6 address add {Address}/128 dev lo nodad; directory=$(mktemp -d)
            env -u HOST_IP -u HOST_IP_PREFIX FREEFLOW_SEEDS={Address} FFR_NAME=v6 timeout -k 5 100 freeflow run --config {configuration} \
                --set freeflow.host.ip={Address} --set freeflow.admin.port=0 --set freeflow.directory=$directory --set freeflow.runtime-directory=$directory >$directory/log 2>&1 &
            for look in $(seq 240); do grep -q "is ready" $directory/log && break; sleep 0.25; done
            kill $!; wait $!; cat $directory/log
            ip -6 address del {Address}/128 dev lo; rm -r $directory
            """);
        Assert.Contains($"is ready at {Address}", result.Everything);
        Assert.Contains("TCP mode is off", result.Everything);
        Assert.DoesNotContain("Unhandled exception", result.Everything);
    }
}
