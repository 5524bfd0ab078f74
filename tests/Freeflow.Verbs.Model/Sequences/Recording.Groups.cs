using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

// Multicast groups, and address handles.
public sealed partial class Recording
{
    private const uint UsualLid = 0xc001;

    /// <summary>Attaches a QP to a group; "own" and "zero" are no groups, but GIDs.</summary>
    public void Attach(QueuePair qp, string group)
    {
        var isRefused = qp.Transport != Transport.Datagram || group is "own" or "zero";
        if (!isRefused)
            qp.Groups.Add(group);
        Step($"attach {qp.Name} group={group} lid={UsualLid}", isRefused ? "EINVAL" : "ok");
    }

    /// <summary>Detaches it; by another LID than it was attached with it can't be.</summary>
    public void Detach(QueuePair qp, string group, bool hasOtherLid = false)
    {
        var answer = !hasOtherLid && qp.Groups.Remove(group) ? "ok" : "EINVAL";
        Step($"detach {qp.Name} group={group} lid={(hasOtherLid ? UsualLid + 1 : UsualLid)}", answer);
    }

    public void Handle(string name, string domain, QueuePair to) => Handle(name, domain, $"to={to.Name}");

    /// <summary>A handle that leads to a group.</summary>
    public void Handle(string name, string domain, string to)
    {
        _users[domain]++;
        Step($"ah {name} pd={domain} port=1 {to}", "ok");
    }

    public void RefusedHandle(string name, string domain, string attributes, string answer) => Step($"ah {name} pd={domain} {attributes}", answer);

    public void EndHandle(string name, string domain)
    {
        _users[domain]--;
        Step($"end {name} ah", "ok");
    }
}
