using Freeflow.EndToEnd.Tests.RdmaCm;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tracing;

/// <summary>What programs ask for, as the collector of two routers sees it: under their filter of system calls, and without their capabilities.</summary>
[Collection(TracingLab.Collection)]
[Trait("Tier", "All")]
public sealed class ConnectionsAreTracedAcrossRouters(TracingLab lab)
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    [Fact]
    public void AConnectionIsOneTraceWithBothRouters()
    {
        using var collector = new Collector(lab);
        Rping();
        List<CollectedSpan> trace = [];
        WaitFor.That(
            "a whole trace of the connection", s_bound,
            () =>
            {
                var spans = collector.Spans;
                trace = [.. spans.Where(span => spans.Any(connect => connect.Name == "rdma_cm/connect" && connect.Trace == span.Trace))];
                // Each router sends its spans when it likes.
                return trace.Exists(span => span.Name == "rdma_cm/RTU") && trace.Count(span => span.Name == "rdma_cm/accept") == 2 && trace.Exists(span => span.Name == "rdma_cm/REP");
            },
            () => string.Join(", ", collector.Spans.Select(span => $"{span.Host} {span.Name} {span.Trace[..6]}")));
        var connect = Assert.Single(trace, span => span.Name == "rdma_cm/connect");
        Assert.Equal(("h1", "", "freeflow", "grpc"), (connect.Host, connect.Parent, connect.Resource["service.name"], connect.Protocol));
        var request = MustBeBelow(trace, connect, "rdma_cm/REQ", "h2");
        Assert.Equal(LabLayout.UnderlayAddress(1), request.Attributes["network.peer.address"]);
        var accept = MustBeBelow(trace, request, "rdma_cm/accept", "h2");
        var reply = MustBeBelow(trace, accept, "rdma_cm/REP", "h1");
        var accepted = MustBeBelow(trace, reply, "rdma_cm/accept", "h1");
        MustBeBelow(trace, accepted, "rdma_cm/RTU", "h2");
        Assert.All(trace, span => Assert.Equal(0, span.Status));

        // Objects are the container's own affair, each call a trace.
        var spans = collector.Spans;
        foreach (var name in (string[])["uverbs/create_qp", "uverbs/modify_qp", "uverbs/reg_mr", "rdma_cm/listen"])
            Assert.Contains(spans, span => span.Name == name && span.Kind == 2 && span.Attributes["freeflow.container"].Length > 0);
        Assert.DoesNotContain(spans, span => span.Name is "uverbs/post_send" or "uverbs/req_notify_cq" or "rdma_cm/get_event");
    }

    [Fact]
    public void ARefusalIsSeenAtBothEnds()
    {
        using var collector = new Collector(lab);
        // A container has its address while a program with the library runs in it.
        using var holder = lab.StartListening("h2c1", 18515, "ibv_rc_pingpong");
        var address = LabFixture.AddressOf("h2c1");
        Assert.NotEqual(0, lab.Hosts.Exec("h1c1", s_bound, "rping", "-c", "-a", address, "-C", "1").ExitCode);
        WaitFor.That(
            "a refusal in one trace with what was refused", s_bound,
            () => collector.Spans is var spans && spans.FirstOrDefault(span => span.Name == "rdma_cm/REJ") is { Host: "h1" } rejected
                && spans.FirstOrDefault(span => span.Id == rejected.Parent) is { Host: "h2", Name: "rdma_cm/REQ" } asked
                && (rejected.Attributes["freeflow.rdma_cm.reject_reason"], asked.Attributes["freeflow.rdma_cm.reject_reason"]) == ("8", "8"),
            () => string.Join(", ", collector.Spans.Select(span => $"{span.Host} {span.Name}")));
    }

    [Fact]
    public void AnErrnoIsTheSpansStatus()
    {
        using var collector = new Collector(lab);
        var refused = lab.Hosts.Exec("h1c2", s_bound, LabFixture.TestProgram("verbs-refusals"));
        Assert.True(refused.ExitCode == 0, refused.Everything);
        WaitFor.That(
            "calls that were refused, and others that were not", s_bound,
            () => collector.Spans is var spans
                && spans.Any(span => span is { Name: "uverbs/create_qp", Status: CollectedSpan.Error } && span.Attributes["error.type"] == "EINVAL" && span.Attributes["freeflow.errno"] == "22")
                && spans.Any(span => span is { Name: "uverbs/create_qp", Status: 0 }),
            () => string.Join(", ", collector.Spans.Select(span => $"{span.Name} {span.Attributes.GetValueOrDefault("error.type")}").Distinct()));
    }

    [Fact]
    public void ListeningInTcpModeIsASpan()
    {
        using var collector = new Collector(lab);
        using var server = lab.StartListening("h2c1", 8099, "python3", "-m", "http.server", "8099");
        WaitFor.That(
            "the listener's span", s_bound, () => collector.Spans.Any(span => span is { Name: "tcp/listen", Host: "h2", Status: 0 }),
            () => string.Join(", ", collector.Spans.Select(span => span.Name)));
    }

    [Fact]
    public void WithoutACollectorEverythingGoesOn()
    {
        for (var i = 0; i < 3; i++)
            Rping();
        foreach (var host in (string[])["h1", "h2"])
            Assert.Equal("ok\n", lab.Hosts.Exec(host, s_bound, "curl", "-sS", "-m", "20", "http://127.0.0.1:4484/healthz").Output);
        Assert.Contains($"Traces of control operations go to http://{LabLayout.UnderlayAddress(1)}:{TracingLab.Port + 1}/", lab.RouterLog("h1"));
    }

    private void Rping()
    {
        var pair = new CmPair(lab, Placement.AcrossHosts);
        pair.Run(s_bound, ["rping", "-s", "-C", "10"], ["rping", "-c", "-a", pair.ServerAddress, "-C", "10"]);
    }

    private static CollectedSpan MustBeBelow(List<CollectedSpan> trace, CollectedSpan parent, string name, string host)
    {
        var span = Assert.Single(trace, span => span.Parent == parent.Id && span.Name == name);
        Assert.Equal(host, span.Host);
        return span;
    }
}
