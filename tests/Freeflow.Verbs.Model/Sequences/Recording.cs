using System.Globalization;
using System.Text;
using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

/// <summary>A sequence as it is made: each call goes to the model, and is written down with the model's answer.</summary>
public sealed partial class Recording
{
    private const int FirstReceive = 1 << 15;
    private const ulong ChecksumStart = 0xcbf29ce484222325;
    private const ulong ChecksumPrime = 0x100000001b3;

    private readonly StringBuilder _text = new();
    private readonly List<Completion> _completions = [];
    private readonly Dictionary<string, int> _users = [];
    private readonly Execution _execution;
    private int _sends;
    private int _receives = FirstReceive;

    public Recording() => _execution = new Execution(Pairs, _completions.Add);

    public List<QueuePair> Pairs { get; } = [];

    public List<Region> Regions { get; } = [];

    public override string ToString() => _text.ToString();

    public void Remark(string text) => Line($"# {text}");

    public void Domain(string name)
    {
        _users[name] = 0;
        Step($"pd {name}", "ok");
    }

    public void CompletionQueue(string name)
    {
        _users[name] = 0;
        Step($"cq {name} entries=300", "ok");
        Step($"watch {name}", "ok");
    }

    /// <summary>One that is refused, or that nothing uses.</summary>
    public void CompletionQueue(string name, string entries, string answer)
    {
        _users[name] = 0;
        Step($"cq {name} entries={entries}", answer);
    }

    public Region Region(string name, string domain, int bytes, Access access)
    {
        var region = new Region(name, domain, bytes, access, Regions.Count * 31);
        var isRefused = (access & (Access.RemoteWrite | Access.RemoteAtomic)) != 0 && (access & Access.LocalWrite) == 0;
        region.IsAlive = !isRefused;
        if (!isRefused)
        {
            Regions.Add(region);
            _users[domain]++;
        }

        Step($"mr {name} pd={domain} bytes={bytes} access={(int)access} fill={region.Memory[0]}", isRefused ? "EINVAL" : "ok");
        return region;
    }

    public SharedQueue SharedQueue(string name, string domain, int receives, int sges)
    {
        var made = new SharedQueue(name, domain, receives, sges);
        _users[domain]++;
        Step($"srq {name} pd={domain} receives={receives} rsge={sges}", "ok");
        return made;
    }

    public QueuePair Pair(QueuePair made)
    {
        var asked = made.Asked;
        Pairs.Add(made);
        _users[made.Domain]++;
        _users[made.SendQueue]++;
        _users[made.ReceiveQueue]++;
        if (made.Shared is not null)
            made.Shared.Users++;
        Step(
            Making(made) + $"sends={asked.Sends} receives={asked.Receives} ssge={asked.SendSges} rsge={asked.ReceiveSges} inline={asked.Inline} all={(made.SignalsAll ? 1 : 0)}",
            $"sends={asked.Sends} receives={asked.Receives} ssge={made.SendSges} rsge={asked.ReceiveSges} inline={made.SendBytes}");
        return made;
    }

    /// <summary>A QP whose sizes nobody can have.</summary>
    public void RefusedPair(QueuePair like, string name, string sizes) =>
        Step(Making(like).Replace($"qp {like.Name} ", $"qp {name} ", StringComparison.Ordinal) + sizes, "EINVAL");

    public void End(string kind, string name)
    {
        var pair = Pairs.Find(candidate => candidate.Name == name && candidate.IsAlive);
        var region = Regions.Find(candidate => candidate.Name == name && candidate.IsAlive);
        if (_users.GetValueOrDefault(name) > 0 || pair is { Groups.Count: > 0 })
        {
            Step($"end {name} {kind}", "EBUSY");
            return;
        }

        if (region is { Windows: > 0 })
        {
            Step($"end {name} {kind}", "EINVAL");
            return;
        }

        if (pair is not null)
        {
            pair.IsAlive = false;
            _users[pair.Domain]--;
            _users[pair.SendQueue]--;
            _users[pair.ReceiveQueue]--;
            if (pair.Shared is not null)
                pair.Shared.Users--;
        }

        if (region is not null)
        {
            region.IsAlive = false;
            _users[region.Domain]--;
        }

        Step($"end {name} {kind}", "ok");
    }

    public void End(SharedQueue shared)
    {
        if (shared.Users == 0)
            _users[shared.Domain]--;
        Step($"end {shared.Name} srq", shared.Users > 0 ? "EBUSY" : "ok");
    }

    public void Modify(QueuePair qp, IReadOnlyDictionary<string, uint> numbers, PairState? state = null, PairState? current = null, QueuePair? destination = null, bool hasPath = false)
    {
        var text = new StringBuilder($"modify {qp.Name}");
        if (state is { } to)
            text.Append(" state=").Append(Word(to));
        if (current is { } from)
            text.Append(" cur=").Append(Word(from));
        if (destination is not null)
            text.Append(" dest=").Append(destination.Name);
        if (hasPath)
            text.Append(" av=").Append((destination ?? qp.Peer ?? qp).Name);
        foreach (var (name, value) in numbers)
            text.Append(' ').Append(name).Append('=').Append(value);
        Step(text.ToString(), Changes.Apply(qp, numbers, state, current, destination, hasPath));
        _execution.Run();
    }

    public void Query(QueuePair qp)
    {
        var values = string.Join(' ', qp.Attributes.Select(entry => $"{entry.Key}={entry.Value}"));
        Step(
            $"query {qp.Name}",
            $"state={Word(qp.State)} {values} dest={qp.Peer?.Name ?? "-"} sends={qp.SendCapacity} receives={qp.ReceiveCapacity} "
            + $"ssge={qp.SendSges} rsge={qp.ReceiveSges} inline={qp.SendBytes}");
    }

    /// <summary>Posts a request; the sequence gives it its number.</summary>
    public string Send(QueuePair qp, SendRequest request, string? handle = null)
    {
        request = request with { Id = ++_sends };
        var text = new StringBuilder($"send {qp.Name} {request.Id} {request.Operation.Word()} flags={(request.IsSignaled ? "s" : "-")}{(request.Inline is null ? "" : "i")}");
        foreach (var part in request.Parts)
            text.Append(" sge=").Append(part);
        if (request.Remote is { } remote)
            text.Append(" remote=").Append(remote.Place);
        if (request.Invalidated is { } key)
            text.Append(" key=").Append(key.Place);
        if (request.Operation.HasImmediate())
            text.Append(" imm=").Append(request.Immediate);
        if (request.Operation.IsAtomic())
            text.Append(" compare=").Append(request.Compare).Append(" swap=").Append(request.Swap);
        if (request.To is { } to)
            text.Append(" ah=").Append(handle).Append(" to=").Append(to.Name).Append(" qkey=").Append(request.Qkey);
        var answer = Post(qp, request);
        Step(text.ToString(), answer);
        _execution.Run();
        return answer;
    }

    /// <summary>A post of no request at all.</summary>
    public void SendNothing(QueuePair qp) => Step($"send {qp.Name} 0 none", "EINVAL");

    public string Receive(QueuePair qp, IReadOnlyList<Part> parts, bool hasHeader = false)
    {
        var answer = qp.State == PairState.Reset || qp.Shared is not null ? "EINVAL"
            : Room(qp.OwnReceives.Count, qp.ReceiveCapacity, parts.Count, qp.ReceiveSges);
        return Receive(qp.Name, qp.OwnReceives, parts, answer, hasHeader);
    }

    public string Receive(SharedQueue shared, IReadOnlyList<Part> parts) =>
        Receive(shared.Name, shared.Receives, parts, Room(shared.Receives.Count, shared.Capacity, parts.Count, shared.MaximumSges), hasHeader: false);

    /// <summary>Everything that has to come has come, and nothing else.</summary>
    public void Settle()
    {
        _execution.Run();
        Line("settle");
        foreach (var completion in _completions)
            Line(completion.Line);
        _completions.Clear();
        Revert();
    }

    public void Sum(Region region)
    {
        var sum = region.Memory.Aggregate(ChecksumStart, (current, value) => unchecked((current ^ value) * ChecksumPrime));
        Step($"sum {region.Name}", sum.ToString("x16", CultureInfo.InvariantCulture));
    }

    private static string Making(QueuePair made)
    {
        var transport = made.Transport switch { Transport.Reliable => "rc", Transport.Unreliable => "uc", _ => "ud" };
        return $"qp {made.Name} type={transport} pd={made.Domain} scq={made.SendQueue} rcq={made.ReceiveQueue} "
            + (made.Shared is null ? "" : $"srq={made.Shared.Name} ");
    }

    private static string Room(int used, int capacity, int parts, int mostParts) =>
        used >= capacity ? "ENOMEM" : parts > mostParts ? "EINVAL" : "ok";

    private static string Word(PairState state) => state.ToString().ToLowerInvariant();

    // The library checks the request and puts it into the ring; the kernel refuses the doorbell of a QP that can't send yet, but the request stays.
    private static string Post(QueuePair qp, SendRequest request)
    {
        var isRefused = request.Parts.Count > qp.SendSges
            || (request.Operation.IsAtomic() && (request.Length < sizeof(ulong) || request.Remote!.Offset % sizeof(ulong) != 0))
            || (request.Inline is not null && request.Length > qp.SendBytes)
            || (request.Operation == Operation.Bind && qp.Transport == Transport.Datagram);
        var answer = isRefused ? "EINVAL" : qp.Sends.Count >= qp.SendCapacity ? "ENOMEM" : "ok";
        if (answer == "ok")
            qp.Sends.Add(request);
        if (qp.State is PairState.Reset or PairState.Init or PairState.Rtr)
            return "EINVAL";
        qp.HasRung = true;
        return answer;
    }

    private string Receive(string name, Queue<ReceiveRequest> queue, IReadOnlyList<Part> parts, string answer, bool hasHeader)
    {
        var receive = new ReceiveRequest(_receives++, parts);
        if (answer == "ok")
            queue.Enqueue(receive);
        Step($"recv {name} {receive.Id}{string.Concat(parts.Select(part => $" sge={part}"))}{(hasHeader ? " header=1" : "")}", answer);
        _execution.Run();
        return answer;
    }

    private void Step(string call, string answer) => Line($"{call} -> {answer}");

    private void Line(string text) => _text.Append(text).Append('\n');
}
