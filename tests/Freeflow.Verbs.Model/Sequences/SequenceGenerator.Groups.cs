using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

// Multicast groups and address handles, as far as no datagram goes to a group: whom it reaches depends on the network device.
public sealed partial class SequenceGenerator
{
    private static readonly string[] s_groups = ["g1", "g2", "v6"];

    private void Groups(PairLink link)
    {
        List<QueuePair> pairs = [.. _to.Pairs.Where(pair => pair.IsAlive && (pair.Transport == Transport.Datagram || Chance(20)))];
        var qp = pairs.Count == 0 ? link.A : One<QueuePair>(pairs);
        switch (_random.Next(9))
        {
            case < 3:
                _to.Attach(qp, One(s_groups));
                break;
            case 3:
                _to.Attach(qp, One("own", "zero"));
                break;
            case 4:
                _to.Detach(qp, One(s_groups), Chance(30));
                break;
            case 5 when qp.Groups.Count > 0:
                _to.End("qp", qp.Name);
                _to.Detach(qp, One<string>([.. qp.Groups]));
                break;
            case 6:
                var handle = $"{link.A.Name[0]}ah{_made++ + 100}";
                _to.Handle(handle, $"{link.A.Name[0]}pd1", $"to={One(s_groups[..2])}");
                _to.End("pd", $"{link.A.Name[0]}pd1");
                _to.EndHandle(handle, $"{link.A.Name[0]}pd1");
                break;
            default:
                var (attributes, answer) = One(
                    ($"port={One(0, 2, 255)} to={link.B.Name}", "EINVAL"), ($"port=1 index={One(100, 255)} to={link.B.Name}", "ENODATA"), ("port=1 to=zero", "EINVAL"));
                _to.RefusedHandle($"{link.A.Name[0]}ah{_made++ + 100}", $"{link.A.Name[0]}pd0", attributes, answer);
                break;
        }
    }

    /// <summary>Ends a QP, which no group may have then.</summary>
    private void EndPair(QueuePair qp)
    {
        if (qp.Groups.Count > 0 && Chance(50))
            _to.End("qp", qp.Name);
        foreach (var group in qp.Groups.ToList())
            _to.Detach(qp, group);
        _to.End("qp", qp.Name);
    }
}
