using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

/// <summary>
/// Makes a sequence from a seed. Most of its calls are right; some are wrong in one thing. What has no certain outcome does not
/// occur: after every batch of work the sequence settles, and what would depend on who is quicker is left out.
/// </summary>
public sealed partial class SequenceGenerator
{
    private const int Actions = 40;
    private const int Links = 3;
    private const int PageBytes = 4096;
    private const uint Qkey = 0x1234;

    private readonly Random _random;
    private readonly Recording _to = new();
    private readonly List<PairLink> _links = [];
    private readonly List<QueuePair> _lone = [];
    private readonly Dictionary<char, Region> _localOnly = [];
    private readonly Dictionary<char, Region> _foreign = [];
    private readonly Dictionary<char, Region> _readOnly = [];
    private int _made;
    private int _datagrams;

    private SequenceGenerator(int seed) => _random = new Random(seed);

    /// <summary>The lines of a sequence, with what each must answer.</summary>
    public static string Generate(int seed)
    {
        var generator = new SequenceGenerator(seed);
        generator._to.Remark($"seed {seed}");
        generator.Begin();
        for (var i = 0; i < Actions; i++)
            generator.Act();
        generator.Finish();
        return generator._to.ToString();
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    private T One<T>(params IReadOnlyList<T> of) => of[_random.Next(of.Count)];

    private void Begin()
    {
        foreach (var side in "ab")
        {
            _to.Domain($"{side}pd0");
            _to.Domain($"{side}pd1");
            _to.CompletionQueue($"{side}cq0");
            _to.CompletionQueue($"{side}cq1");
            _localOnly[side] = _to.Region($"{side}mr0", $"{side}pd0", PageBytes, Access.LocalWrite);
            _foreign[side] = _to.Region($"{side}mr1", $"{side}pd1", PageBytes, Access.All);
            _readOnly[side] = _to.Region($"{side}mr2", $"{side}pd0", PageBytes, Access.RemoteRead | Access.Bind);
        }

        for (var i = 0; i < Links; i++)
        {
            var transport = i == 0 ? Transport.Reliable : One(Transport.Reliable, Transport.Unreliable, Transport.Datagram);
            var shared = transport == Transport.Reliable && i == 1 && Chance(60) ? _to.SharedQueue("bsrq0", "bpd0", _random.Next(100, 200), 2) : null;
            var link = new PairLink(Make('a', transport, null), Make('b', transport, shared))
            {
                MemoryA = _to.Region($"amr{i + 10}", "apd0", 2 * PairLink.Half, Access.All | Access.Bind),
                MemoryB = _to.Region($"bmr{i + 10}", "bpd0", 2 * PairLink.Half, Access.All | Access.Bind),
            };
            _links.Add(link);
            if (transport == Transport.Datagram)
            {
                _to.Handle($"aah{i}", "apd0", link.B);
                _to.Handle($"bah{i}", "bpd0", link.A);
            }

            Connect(link);
        }

        _lone.Add(Make('a', Transport.Reliable, null));
    }

    /// <summary>A QP that work can be sent through.</summary>
    private QueuePair Make(char side, Transport transport, SharedQueue? shared)
    {
        return _to.Pair(new QueuePair
        {
            Name = $"{side}qp{_made++}",
            Domain = $"{side}pd0",
            Transport = transport,
            SendQueue = $"{side}cq0",
            ReceiveQueue = $"{side}cq{_random.Next(2)}",
            Shared = shared,
            SignalsAll = Chance(20),
            Asked = new QueuePair.Sizes(_random.Next(4, 20), _random.Next(4, 20), _random.Next(1, 5), _random.Next(1, 5), One(0, 0, 16, 60, 100)),
        });
    }

    private void Act()
    {
        var link = One(_links);
        switch (_random.Next(26))
        {
            case < 8:
                Traffic(link);
                break;
            case < 11:
                Mistake(link);
                break;
            case < 12:
                Disturb(link);
                break;
            case < 16:
                Change(One(_lone));
                break;
            case 16:
                Renew();
                break;
            case 17:
                Refuse();
                break;
            case < 21:
                Windows(link);
                break;
            case 21:
                Drain(link, One(link.A, link.B));
                break;
            case 22 or 23:
                Groups(link);
                break;
            case 24:
                _to.Query(One<QueuePair>([.. _lone, link.A, link.B]));
                break;
            default:
                _to.Sum(One(_to.Regions));
                break;
        }
    }

    /// <summary>Objects that can't be had, and such that are in use.</summary>
    private void Refuse()
    {
        var side = One('a', 'b');
        var like = One(_links).A;
        switch (_random.Next(8))
        {
            case 0:
                _to.End("pd", $"{side}pd0");
                break;
            case 1:
                _to.End("cq", $"{side}cq0");
                break;
            case 2:
                _to.Region($"{side}mr{_made++ + 100}", $"{side}pd0", PageBytes, One(Access.RemoteWrite, Access.RemoteAtomic | Access.RemoteRead));
                break;
            case 3:
                _to.RefusedPair(like, $"{like.Name[0]}qp{_made++}", One(
                    "sends=max+1 receives=1 ssge=1 rsge=1 inline=0 all=0",
                    "sends=1 receives=max+1 ssge=1 rsge=1 inline=0 all=0",
                    "sends=1 receives=1 ssge=max+1 rsge=1 inline=0 all=0",
                    "sends=1 receives=1 ssge=1 rsge=max+1 inline=0 all=0",
                    "sends=1 receives=1 ssge=1 rsge=1 inline=513 all=0"));
                break;
            case 4:
                _to.CompletionQueue($"{side}cq{_made++ + 100}", One("0", "max+1"), "EINVAL");
                break;
            default:
                var name = $"{side}mr{_made++ + 100}";
                _to.Sum(_to.Region(name, $"{side}pd1", _random.Next(1, PageBytes), One(Access.All, Access.LocalWrite, Access.None)));
                _to.End("mr", name);
                break;
        }
    }

    private void Finish()
    {
        _to.Settle();
        foreach (var link in _links)
        {
            _to.Query(link.A);
            _to.Query(link.B);
            _to.Sum(link.MemoryA);
            _to.Sum(link.MemoryB);
        }

        foreach (var window in _to.Windows.Where(window => window.IsAlive))
            _to.End(window);
        foreach (var qp in _to.Pairs.Where(qp => qp.IsAlive).ToList())
        {
            if (qp.Shared is { } shared && Chance(50))
                _to.End(shared);
            EndPair(qp);
            if (qp.Shared is not null)
                _to.End(qp.Shared);
        }

        foreach (var region in _to.Regions.Where(region => region.IsAlive).ToList())
            _to.End("mr", region.Name);
        for (var i = 0; i < Links; i++)
        {
            if (_links[i].A.Transport != Transport.Datagram)
                continue;
            _to.EndHandle($"aah{i}", "apd0");
            _to.EndHandle($"bah{i}", "bpd0");
        }

        foreach (var side in "ab")
        {
            _to.End("pd", $"{side}pd0");
            _to.End("pd", $"{side}pd1");
            _to.End("cq", $"{side}cq0");
            _to.End("cq", $"{side}cq1");
        }
    }
}
