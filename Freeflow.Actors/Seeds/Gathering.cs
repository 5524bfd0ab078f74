using System.Net;

namespace Freeflow.Actors.Seeds;

/// <summary>
/// Decides whether a router that has just started joins a cluster or starts one, by who of the seeds has answered. A cluster that there is
/// comes first. Else the lowest of the seeds starts one, and only if this router is that one, does it: of those that were written down the
/// lowest of all, and of those from living sources (DNS, the host's tables) the lowest of all that answer, since there may be hosts without
/// a router among them. The members of its last run (<see cref="LastMembers"/>) are asked too: it is their cluster that it joins, if one of
/// them is in one, but they have no say in who starts one. It listens for a while first, in case that there is a cluster, or a lower one that has not answered yet.
/// </summary>
/// <param name="own">This router.</param>
/// <param name="formAfter">How long it listens.</param>
/// <param name="lastMembers">Of its last run.</param>
public sealed class Gathering(IPEndPoint own, TimeSpan formAfter, IReadOnlyList<IPEndPoint> lastMembers)
{
    /// <summary>An answer counts for so long: a router that is asked each second may be slow.</summary>
    public static readonly TimeSpan AnswerHolds = TimeSpan.FromSeconds(4);

    /// <summary>Those of living sources may come one by one, but not for ever.</summary>
    private const int MostDelays = 4;

    private readonly Dictionary<IPEndPoint, Answer> _answers = [];
    private SeedsFound _seeds = new("", []);
    private HashSet<IPEndPoint> _answering = [];
    private TimeSpan _foundAt, _quietSince;

    /// <summary>The others, which are to be asked.</summary>
    public IEnumerable<IPEndPoint> Others => _seeds.At.Union(lastMembers).Where(at => !at.Equals(own));

    /// <summary>Of the others, those that have not answered lately.</summary>
    public IEnumerable<IPEndPoint> Silent(TimeSpan now) => Others.Where(at => !IsFresh(at, now));

    /// <summary>Tells it of seeds; false when they are the same as before.</summary>
    public bool Found(SeedsFound seeds, TimeSpan now)
    {
        if (seeds.Equals(_seeds))
            return false;
        if (seeds.IsWritten || _seeds.At.Count == 0)
            _foundAt = _quietSince = now;
        _seeds = seeds;
        return true;
    }

    /// <summary>Tells it of an answer. One of somebody who was not asked does not count.</summary>
    /// <param name="from">Whose.</param>
    /// <param name="members">How many are up in its cluster; 0: it is in none.</param>
    /// <param name="first">The first of them, by which clusters are told apart.</param>
    /// <param name="now">When.</param>
    public void Heard(IPEndPoint from, int members, string first, TimeSpan now)
    {
        if (Others.Contains(from))
            _answers[from] = new Answer(members, first, now);
    }

    public JoinStep Next(TimeSpan now)
    {
        var answering = Others.Where(at => IsFresh(at, now)).ToHashSet();
        if (!answering.SetEquals(_answering))
            (_answering, _quietSince) = (answering, now);

        var clusters = answering.Where(at => _answers[at].Members > 0).GroupBy(at => _answers[at].First)
            .OrderByDescending(cluster => cluster.Max(at => _answers[at].Members)).ThenBy(cluster => cluster.Key, StringComparer.Ordinal);
        if (clusters.FirstOrDefault() is { } cluster)
            return new JoinStep.Join([.. cluster.Order(AddressOrder.Instance)]);
        return MayForm(answering, now) ? JoinStep.Form.Instance : JoinStep.Wait.Instance;
    }

    private bool MayForm(HashSet<IPEndPoint> answering, TimeSpan now)
    {
        if (!_seeds.At.Contains(own))
            return false;
        var lower = _seeds.At.TakeWhile(at => !at.Equals(own));
        if (_seeds.IsWritten)
            return !lower.Any() && (answering.Count == Others.Count() || now - _foundAt >= formAfter);
        return !lower.Any(answering.Contains) && (now - _quietSince >= formAfter || now - _foundAt >= MostDelays * formAfter);
    }

    private bool IsFresh(IPEndPoint at, TimeSpan now) => _answers.TryGetValue(at, out var answer) && now - answer.At <= AnswerHolds;

    private readonly record struct Answer(int Members, string First, TimeSpan At);
}
