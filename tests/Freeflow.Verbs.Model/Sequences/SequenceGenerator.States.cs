using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

// How QPs come from one state to the other, and what is wrong in a change.
public sealed partial class SequenceGenerator
{
    private void Connect(PairLink link)
    {
        // Both ends cut messages into packets of one size.
        var rnrRetry = One(7u, 7u, 0u, 1u);
        var mtu = One(1u, 2u, 3u);

        // A post that comes too early is refused, but goes out with the first one that does not. Not where a request waited for a
        // receive: the kernel's timer outlives the reset, and sends what lies in the ring by then, to nobody.
        var isEarly = link.A.Transport == Transport.Reliable && link.A.Sends.Count == 0 && Chance(15);

        // What waits for a receive must not come to wait for an answer.
        foreach (var qp in new[] { link.A, link.B }.OrderByDescending(qp => qp.Sends.Count))
        {
            if (qp.State != PairState.Reset)
                Step(qp, PairState.Reset, link.Other(qp), rnrRetry, mtu);
        }

        foreach (var state in new[] { PairState.Init, PairState.Rtr, PairState.Rts })
        {
            Step(link.A, state, link.B, rnrRetry, mtu);
            Step(link.B, state, link.A, rnrRetry, mtu);
            if (isEarly && state == PairState.Init && PostReceives(link, link.B, 2 - link.B.Receives.Count) >= 2 - link.B.Receives.Count)
                _to.Send(link.A, Request(link, link.A, Operation.Send));
        }

        if (link.A.Sends.Count > 0)
            _to.Send(link.A, Request(link, link.A, Operation.Send) with { IsSignaled = true });
        _to.Settle();
    }

    private void Step(QueuePair qp, PairState to, QueuePair peer, uint rnrRetry, uint mtu)
    {
        var numbers = new Dictionary<string, uint>();
        foreach (var name in Transitions.Needs(qp.Transport, qp.State, to) ?? [])
        {
            if (name is not ("av" or "dest"))
                numbers[name] = name switch { "rnr-retry" => rnrRetry, "mtu" => mtu, _ => Right(name) };
        }

        var isConnecting = to == PairState.Rtr && qp.Transport != Transport.Datagram;
        _to.Modify(qp, numbers, to, destination: isConnecting ? peer : null, hasPath: isConnecting);
    }

    /// <summary>A value with which work goes through.</summary>
    private uint Right(string name) => name switch
    {
        "port" => 1,
        "access" => (uint)Access.All,
        "qkey" => Qkey,
        "mtu" => 3,
        "rd" or "dest-rd" => 16,
        "rnr-timer" => 12,
        "timeout" => 14,
        "retry" => 6,
        "rnr-retry" => 7,
        "rq-psn" or "sq-psn" => 4711,
        _ => 0,
    };

    /// <summary>A value that another one may be, or that there is not.</summary>
    private uint Any(string name) => name switch
    {
        "port" => One(1u, 1u, 0u, 2u),
        "access" => (uint)_random.Next(16),
        "mtu" => One(0u, 1u, 4u, 5u, 6u, 7u),
        "pkey" => One(0u, 0u, 1u, 63u, 1000u),
        "rd" or "dest-rd" => One(0u, 1u, 3u, 100u, 128u, 129u, 255u),
        "rnr-timer" or "timeout" => One(0u, 7u, 31u, 32u, 200u),
        "retry" or "rnr-retry" => One(0u, 5u, 7u, 8u, 250u),
        "qkey" => One(0u, Qkey, 0x7fffffffu),
        "av-port" => One(1u, 0u, 2u),
        "notify" => One(0u, 1u),
        _ => (uint)_random.Next(1 << 24),
    };

    /// <summary>Takes a QP that nothing depends on somewhere, or tries to.</summary>
    private void Change(QueuePair qp)
    {
        PairState? to = Chance(10) ? null : Chance(70) ? Next(qp.State) : (PairState)_random.Next(7);
        var peer = One(_links).A;

        // What was refused lies in the ring still, and nobody would answer it.
        if (to == PairState.Rts && qp.Sends.Count > 0)
            to = PairState.Err;
        var target = to ?? qp.State;
        var needs = Transitions.Needs(qp.Transport, qp.State, target) ?? ["access"];
        var allowed = Transitions.Allows(qp.Transport, qp.State, target);
        List<string> named = [.. needs, .. allowed.Where(_ => Chance(25))];
        if (Chance(15) && named.Count > 0)
            named.RemoveAt(_random.Next(named.Count));
        if (Chance(10))
            named.Add(One("port", "access", "qkey", "timeout", "rd", "mtu", "av", "dest", "notify", "sends"));
        var areOdd = Chance(40);
        var numbers = named.Distinct().Where(name => name is not ("av" or "dest" or "cur"))
            .ToDictionary(name => name, name => areOdd ? Any(name) : Right(name));
        if (named.Contains("av") && areOdd && Chance(50))
            numbers["av-port"] = Any("av-port");
        if (named.Contains("av") && Chance(15))
            numbers["av-index"] = One(100u, 255u);
        _to.Modify(
            qp, numbers, to, named.Contains("cur") ? qp.State : null, named.Contains("dest") ? peer : null, named.Contains("av"));
        _to.Settle();
        if (Chance(40))
            _to.Query(qp);
        if (Chance(30))
            PostTo(qp);
        _to.Settle();
    }

    private static PairState Next(PairState state) => state switch
    {
        PairState.Reset => PairState.Init,
        PairState.Init => PairState.Rtr,
        PairState.Rtr => PairState.Rts,
        PairState.Rts => PairState.Sqd,
        PairState.Sqd => PairState.Rts,
        _ => PairState.Reset,
    };

    /// <summary>Posts to a QP that is connected to nobody who would answer: so not in RTS, which takes a while.</summary>
    private void PostTo(QueuePair qp)
    {
        var memory = _localOnly[qp.Name[0]];
        var part = new Part(memory, 0, 16);
        if (qp.State is PairState.Reset or PairState.Init or PairState.Rtr)
        {
            if (Chance(50) && qp.Transport != Transport.Datagram)
                _to.Send(qp, new SendRequest(0, Operation.Send, [part]));
            else if (Chance(20))
                _to.SendNothing(qp);
            if (Chance(50))
                _to.Receive(qp, [part]);
        }
        else if (qp.State is PairState.Sqd or PairState.Err && qp.Transport != Transport.Datagram)
        {
            _to.Send(qp, new SendRequest(0, Operation.Send, [part]));
        }
    }

    /// <summary>Another QP in the place of a lone one.</summary>
    private void Renew()
    {
        var old = One(_lone);
        _lone.Remove(old);
        EndPair(old);
        var side = One('a', 'b');
        var made = _to.Pair(new QueuePair
        {
            Name = $"{side}qp{_made++}",
            Domain = $"{side}pd{_random.Next(2)}",
            Transport = One(Transport.Reliable, Transport.Unreliable, Transport.Datagram),
            SendQueue = $"{side}cq0",
            ReceiveQueue = $"{side}cq1",
            Asked = new QueuePair.Sizes(_random.Next(0, 9), _random.Next(0, 9), _random.Next(0, 4), _random.Next(0, 4), One(0, 1, 20, 512)),
        });
        _lone.Add(made);
        _to.Query(made);
    }

    /// <summary>Takes a link's QPs out of RTS, and back.</summary>
    private void Disturb(PairLink link)
    {
        var qp = One(link.A, link.B);
        if (!link.IsUp)
        {
            Connect(link);
            return;
        }

        switch (_random.Next(3))
        {
            case 0 when link.Other(qp).Sends.Count == 0:
                _to.Modify(qp, new Dictionary<string, uint>(), PairState.Err);
                _to.Settle();
                break;
            case 1:
                Connect(link);
                break;
            default:
                if (qp.Transport != Transport.Datagram)
                    _to.Modify(qp, new Dictionary<string, uint> { ["access"] = Any("access") }, Chance(50) ? PairState.Rts : null);
                break;
        }

        _to.Settle();
    }
}
