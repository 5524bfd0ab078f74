using System.Net.Sockets;
using Freeflow.Router.Control;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Explanation;

/// <summary>Tells step by step why a connection would be accelerated, or not.</summary>
public static class Explainer
{
    public static ExplainAnswer Explain(ConnectionFacts facts)
    {
        var both = new Steps();
        var (source, destination) = (facts.SourceRouter, facts.DestinationRouter);
        _ = both.Add(
                "a router has the source address", source is not null,
                source is not null ? $"{source.Address}, tenant {facts.Tenant}" : "no program with the library runs there, or its claim waits: another container has the address")
            && both.Add("the source is on this host", source!.IsOwn, source.IsOwn ? "" : $"ask the router at {source.Address}")
            && both.Add("a router has the destination address for this tenant", destination is not null, WhoHas(facts))
            && both.Add(
                "its router can be reached", destination!.IsOwn || (destination.IsMember && destination.IsReachable),
                destination.IsOwn ? "this router" : !destination.IsMember ? "it is no member that is up" : destination.IsReachable ? "" : "the cluster does not hear it");
        return new ExplainAnswer(
            facts.Source.ToString(), facts.Destination.ToString(), facts.Port, facts.Tenant, both.All, both.Hold ? Tcp(facts) : Not, both.Hold ? Rdma(facts, destination!) : Not);
    }

    private static ModeAnswer Not { get; } = new(false, []);

    private static string WhoHas(ConnectionFacts facts) => facts.DestinationRouter is { } router ? router.Address
        : facts.OtherTenants.Count > 0 ? $"only for {string.Join(", ", facts.OtherTenants)}: addresses mean something within a tenant only"
        : "no program with the library runs there, or it is no container's";

    private static ModeAnswer Rdma(ConnectionFacts facts, RouterFacts router)
    {
        var steps = new Steps();
        if (!steps.Add("the policy allows it", facts.RdmaPolicy.Allowed, facts.RdmaPolicy.Reason))
            return new ModeAnswer(false, steps.All);
        if (router.IsOwn)
            steps.Add("the data link is up", true, "none is needed within a host");
        else
            steps.Add("the data link is up", router.Data is { IsUp: true }, router.Data is { IsUp: true } ? "" : router.Data?.Reason ?? "there is none yet");
        return new ModeAnswer(steps.Hold, steps.All);
    }

    private static ModeAnswer Tcp(ConnectionFacts facts)
    {
        var steps = new Steps();
        if (!steps.Add(
                "both addresses are IPv4", facts.Source.AddressFamily == AddressFamily.InterNetwork && facts.Destination.AddressFamily == AddressFamily.InterNetwork, ""))
            return new ModeAnswer(false, steps.All);
        if (facts.Tcp is not { } verdict)
            return new ModeAnswer(false, steps.All);
        var failed = TcpVerdict.StepOf(verdict.Reason);
        for (var i = 0; i <= failed && i < TcpVerdict.Steps.Count; i++)
        {
            var (what, detail, advice) = WordsOf(TcpVerdict.Steps[i], facts, verdict);
            steps.Add(what, i < failed, i < failed ? detail : $"{detail}{(detail.Length > 0 && advice.Length > 0 ? "; " : "")}{advice}");
        }

        // A reason that no destination has from the start would be a defect; it must not pass for acceleration.
        return new ModeAnswer(steps.Hold && verdict.Reason == PlainReason.None, steps.All);
    }

    /// <summary>A step, what there is to say of it anyway, and what else when it does not hold.</summary>
    private static (string What, string Detail, string Advice) WordsOf(PlainReason reason, ConnectionFacts facts, TcpVerdict verdict) => reason switch
    {
        PlainReason.Underlay => ("the hosts' network is IPv4", "", ""),
        PlainReason.Draining => ("this host's router takes new connections", "", "it is draining; freeflow drain --undo takes that back"),
        PlainReason.Privileged => (
            "the source's container is not privileged over the host's network", "", "a process of it has CAP_NET_ADMIN there; tcp.privileged-containers"),
        PlainReason.Configured => ("the settings do not forbid it", "", "tcp.acceleration, tcp.never, tcp.always"),
        PlainReason.OwnAddress => ("the destination is another container", "", "a container's own address is the kernel's loopback"),
        PlainReason.Source => (
            "the source address is the container's alone",
            verdict.Processes switch
            {
                0 => "none of its processes uses TCP mode now; that needs a VNET_PREFIX with the destination in it",
                1 => "one process of it uses TCP mode; its VNET_PREFIX has to have the destination in it",
                var many => $"{many} processes of it use TCP mode; their VNET_PREFIX has to have the destination in it",
            },
            ""),
        PlainReason.NoOwner => ("TCP mode knows the destination's router", facts.DestinationRouter?.Address ?? "", ""),
        PlainReason.Unreachable => ("the TCP-mode link is up", facts.DestinationRouter is { IsOwn: true } ? "none is needed within a host" : "", ""),
        PlainReason.NoListener => ("a program with the library listens there", Listeners(facts, verdict), ""),
        PlainReason.Policy => ("the policy allows it", facts.TcpPolicy.Reason, ""),
        PlainReason.Busy => ("the listener's queue has room", "", "its program does not accept as fast as connections come"),
        PlainReason.Short => ("connections there have not been too short to gain from it", "", "tcp.learning, tcp.always"),
        _ => (PlainReasons.WordsOf(reason), "", ""),
    };

    private static string Listeners(ConnectionFacts facts, TcpVerdict verdict)
    {
        var known = verdict.Listeners.Count > 0 ? "listening there: " + string.Join(", ", verdict.Listeners) : "nothing is known to listen there";
        return facts.Port == 0 && verdict.Port != 0 ? $"port {verdict.Port}; {known}" : known;
    }

    private sealed class Steps
    {
        private readonly List<StepAnswer> _all = [];

        public IReadOnlyList<StepAnswer> All => _all;

        public bool Hold => _all.TrueForAll(step => step.Holds);

        public bool Add(string what, bool holds, string detail)
        {
            _all.Add(new StepAnswer(what, holds, detail));
            return holds;
        }
    }
}
