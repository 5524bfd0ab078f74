namespace Freeflow.Verbs.Model.Device;

/// <summary>Which attributes a change of state needs and allows (InfiniBand specification, table 96).</summary>
public static class Transitions
{
    private static readonly Dictionary<(Transport, PairState, PairState), (string Needs, string Allows)> s_rules = new()
    {
        [(Transport.Reliable, PairState.Reset, PairState.Init)] = ("pkey port access", ""),
        [(Transport.Reliable, PairState.Init, PairState.Init)] = ("", "pkey port access"),
        [(Transport.Reliable, PairState.Init, PairState.Rtr)] = ("av mtu dest rq-psn dest-rd rnr-timer", "access pkey"),
        [(Transport.Reliable, PairState.Rtr, PairState.Rts)] = ("timeout retry rnr-retry sq-psn rd", "cur access rnr-timer"),
        [(Transport.Reliable, PairState.Rts, PairState.Rts)] = ("", "cur access rnr-timer"),
        [(Transport.Reliable, PairState.Rts, PairState.Sqd)] = ("", "notify"),
        [(Transport.Reliable, PairState.Sqd, PairState.Rts)] = ("", "cur access rnr-timer"),
        [(Transport.Reliable, PairState.Sqd, PairState.Sqd)] = ("", "port av timeout retry rnr-retry rd dest-rd access pkey rnr-timer"),
        [(Transport.Unreliable, PairState.Reset, PairState.Init)] = ("pkey port access", ""),
        [(Transport.Unreliable, PairState.Init, PairState.Init)] = ("", "pkey port access"),
        [(Transport.Unreliable, PairState.Init, PairState.Rtr)] = ("av mtu dest rq-psn", "access pkey"),
        [(Transport.Unreliable, PairState.Rtr, PairState.Rts)] = ("sq-psn", "cur access"),
        [(Transport.Unreliable, PairState.Rts, PairState.Rts)] = ("", "cur access"),
        [(Transport.Unreliable, PairState.Rts, PairState.Sqd)] = ("", "notify"),
        [(Transport.Unreliable, PairState.Sqd, PairState.Rts)] = ("", "cur access"),
        [(Transport.Unreliable, PairState.Sqd, PairState.Sqd)] = ("", "av access pkey"),
        [(Transport.Datagram, PairState.Reset, PairState.Init)] = ("pkey port qkey", ""),
        [(Transport.Datagram, PairState.Init, PairState.Init)] = ("", "pkey port qkey"),
        [(Transport.Datagram, PairState.Init, PairState.Rtr)] = ("", "pkey qkey"),
        [(Transport.Datagram, PairState.Rtr, PairState.Rts)] = ("sq-psn", "cur qkey"),
        [(Transport.Datagram, PairState.Rts, PairState.Rts)] = ("", "cur qkey"),
        [(Transport.Datagram, PairState.Rts, PairState.Sqd)] = ("", "notify"),
        [(Transport.Datagram, PairState.Sqd, PairState.Rts)] = ("", "cur qkey"),
        [(Transport.Datagram, PairState.Sqd, PairState.Sqd)] = ("", "pkey qkey"),
    };

    /// <summary>Whether a QP may go from one state to the other with just these attributes, "state" left out.</summary>
    public static bool IsAllowed(Transport transport, PairState from, PairState to, IReadOnlyCollection<string> named)
    {
        if (named.Contains("cur") && from is not (PairState.Rtr or PairState.Rts or PairState.Sqd))
            return false;
        if (to == PairState.Reset || (to == PairState.Err && from != PairState.Reset))
            return named.Count == 0;
        return s_rules.TryGetValue((transport, from, to), out var rule)
            && Words(rule.Needs).All(named.Contains)
            && named.All(name => Words(rule.Needs).Contains(name) || Words(rule.Allows).Contains(name));
    }

    /// <summary>What a change needs; null when there is no such change.</summary>
    public static string[]? Needs(Transport transport, PairState from, PairState to) =>
        to is PairState.Reset or PairState.Err ? [] : s_rules.TryGetValue((transport, from, to), out var rule) ? Words(rule.Needs) : null;

    public static string[] Allows(Transport transport, PairState from, PairState to) =>
        s_rules.TryGetValue((transport, from, to), out var rule) ? Words(rule.Allows) : [];

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
