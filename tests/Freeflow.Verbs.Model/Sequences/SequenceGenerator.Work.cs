using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

// Work over a link, and what is wrong in a request.
public sealed partial class SequenceGenerator
{
    private const int ReceiveBytes = 1500;
    private const int LargestDatagram = 900;
    private const int OnePacket = 200;
    private const int DatagramPlaces = PairLink.Half / ReceiveBytes;
    private const int CounterAt = PairLink.Half - 64;

    /// <summary>A batch in one direction, with the receives that it needs, or where that is certain to be told without.</summary>
    private void Traffic(PairLink link)
    {
        if (!link.IsUp)
        {
            Connect(link);
            _to.Settle();
        }

        var (from, to) = Chance(50) ? (link.A, link.B) : (link.B, link.A);
        var isShort = from.Transport == Transport.Reliable && to.Sends.Count == 0 && Chance(10);
        var room = from.SendCapacity - from.Sends.Count;
        if (room == 0 || (from.Sends.Count > 0 && Chance(70)))
        {
            // What waits for a receive gets one.
            PostReceives(link, to, from.Sends.Count(request => request.Operation.TakesReceive()));
            _to.Settle();
            return;
        }

        var requests = Enumerable.Range(0, Math.Min(room, _random.Next(1, 5))).Select(_ => Request(link, from)).ToList();
        if (from.Transport == Transport.Unreliable)
            requests[^1] = Request(link, from, Operation.Send);
        requests[^1] = requests[^1] with { IsSignaled = true };
        var needed = from.Sends.Concat(requests).Count(request => request.Operation.TakesReceive()) - to.Receives.Count;
        if (!isShort)
            needed -= PostReceives(link, to, needed);
        if (needed > 0 && from.Transport != Transport.Reliable)
            return;
        foreach (var request in requests)
            _to.Send(from, request, HandleOf(link, from));
        _to.Settle();
    }

    private string? HandleOf(PairLink link, QueuePair from) =>
        from.Transport == Transport.Datagram ? $"{from.Name[0]}ah{_links.IndexOf(link)}" : null;

    private int PostReceives(PairLink link, QueuePair to, int count)
    {
        var isDatagram = to.Transport == Transport.Datagram;
        var posted = 0;
        for (; posted < count; posted++)
        {
            var sges = isDatagram ? 1 : _random.Next(1, (to.Shared?.MaximumSges ?? to.ReceiveSges) + 1);

            // A datagram's header is wiped once it is seen: no other may lie there by then.
            var at = PairLink.Half + (isDatagram ? _datagrams++ % DatagramPlaces * ReceiveBytes : _random.Next(PairLink.Half - ReceiveBytes - 64));
            var first = sges == 1 ? ReceiveBytes : _random.Next(1, 700);
            var parts = Enumerable.Range(0, sges).Select(i => i switch
            {
                _ when i == sges - 1 && i > 0 => new Part(link.MemoryOf(to), PairLink.Half, ReceiveBytes),
                _ => new Part(link.MemoryOf(to), at, first),
            }).ToList();
            var answer = to.Shared is { } shared ? _to.Receive(shared, parts) : _to.Receive(to, parts, isDatagram);
            if (answer != "ok")
                break;
        }

        return posted;
    }

    private SendRequest Request(PairLink link, QueuePair from, Operation? wanted = null)
    {
        var operations = Enum.GetValues<Operation>().Where(candidate => candidate.IsOffered(from.Transport) && !candidate.IsAboutKeys()).ToList();
        var operation = wanted ?? One(operations);
        var (mine, theirs) = (link.MemoryOf(from), link.MemoryOf(link.Other(from)));
        var isInline = !operation.AwaitsData() && from.SendBytes > 0 && Chance(25);

        // What is refused of a longer write with immediate data has been written in part.
        var largest = isInline || operation == Operation.WriteImmediate ? Math.Min(isInline ? from.SendBytes : OnePacket, OnePacket) : from.Transport == Transport.Datagram ? LargestDatagram : ReceiveBytes;
        var total = operation.IsAtomic() ? sizeof(ulong) : Chance(5) ? 0 : _random.Next(1, largest + 1);
        var parts = Parts(mine, operation.AwaitsData() ? PairLink.Half : 0, total, from.SendSges);
        return new SendRequest(0, operation, parts)
        {
            IsSignaled = Chance(70),
            Inline = isInline ? [.. parts.SelectMany(part => part.Region.Memory.AsSpan(part.Offset, part.Length).ToArray())] : null,
            Remote = operation.Needs() == Access.None ? null
                : operation.IsAtomic() ? new Part(theirs, CounterAt + (8 * _random.Next(8)), 0)
                : operation.IsWrite() ? new Part(theirs, PairLink.Half + _random.Next(PairLink.Half - ReceiveBytes), 0)
                : new Part(theirs, _random.Next(CounterAt - ReceiveBytes), 0),
            Immediate = operation.HasImmediate() ? (uint)_random.Next() : 0,
            Compare = (uint)_random.Next(100),
            Swap = (uint)_random.Next(),
            To = from.Transport == Transport.Datagram ? link.Other(from) : null,
            Qkey = Qkey,
        };
    }

    private List<Part> Parts(Region region, int from, int total, int most)
    {
        if (total == 0)
            return [];
        var count = Math.Min(_random.Next(1, most + 1), total);
        var parts = new List<Part>();
        var at = from + _random.Next(2000);
        for (var i = 0; i < count; i++)
        {
            var length = i == count - 1 ? total : _random.Next(1, total - (count - i) + 2);
            parts.Add(new Part(region, at, length));
            at += length + _random.Next(100);
            total -= length;
        }

        return parts;
    }

    /// <summary>One request that is wrong in one thing, on a link where nothing else is under way.</summary>
    private void Mistake(PairLink link)
    {
        if (!link.IsUp || link.A.Sends.Count + link.B.Sends.Count > 0)
        {
            Connect(link);
            _to.Settle();
        }

        var (from, to) = Chance(50) ? (link.A, link.B) : (link.B, link.A);
        if (from.Transport == Transport.Reliable && to.Shared is null && to.Receives.Count == 0 && to.ReceiveSges > 0 && Chance(20))
        {
            // Only what the message needs has to be there.
            var wrong = new Part(link.MemoryOf(to), PairLink.Half, ReceiveBytes, HasWrongKey: true);
            var message = Request(link, from, Operation.SendImmediate) with { IsSignaled = true };
            _to.Receive(to, to.ReceiveSges > 1 && message.Length < OnePacket ? [new Part(link.MemoryOf(to), PairLink.Half, OnePacket), wrong] : [wrong]);
            _to.Send(from, message);
            _to.Settle();
            return;
        }

        if (PostReceives(link, to, 1 - to.Receives.Count) < 1 - to.Receives.Count)
            return;
        var request = Request(link, from) with { IsSignaled = true };
        var isReliable = from.Transport == Transport.Reliable;
        var isLast = Chance(50);
        var mistake = _random.Next(10);
        if (mistake is 2 or 3 or 4 && request.Operation.IsAtomic())
            request = Request(link, from, Operation.Read) with { IsSignaled = true };
        switch (mistake)
        {
            case 0:
                request = request with { Parts = [.. Enumerable.Repeat(new Part(link.MemoryOf(from), 0, 1), from.SendSges + 1)], Inline = null };
                break;
            case 1 when !request.Operation.AwaitsData():
                request = request with { Parts = [new Part(link.MemoryOf(from), 0, from.SendBytes + 1)], Inline = new byte[from.SendBytes + 1] };
                break;
            case 2:
                request = request with { Parts = [new Part(link.MemoryOf(from), 0, 8, HasWrongKey: true)], Inline = null };
                break;
            case 3:
                request = request with { Parts = [new Part(One(_foreign[from.Name[0]], Ended(from)), 0, 8)], Inline = null };
                break;
            case 4:
                request = request with { Parts = [new Part(link.MemoryOf(from), (2 * PairLink.Half) - 4, 8)], Inline = null };
                break;
            case 5 when isReliable && request.Remote is { } remote:
                request = request with { Remote = remote with { HasWrongKey = true } };
                break;
            case 6 when isReliable && request.Remote is not null:
                request = request with { Remote = new Part(One(_localOnly[to.Name[0]], _foreign[to.Name[0]], _readOnly[to.Name[0]], Ended(to)), 0, 0) };
                break;
            case 7 when isReliable && request.Remote is not null:
                request = request with { Remote = new Part(link.MemoryOf(to), (2 * PairLink.Half) - (request.Operation.IsAtomic() ? 4 : 0), 0) };
                break;
            case 8 when from.Transport == Transport.Datagram:
                request = request with { Qkey = Qkey + 1 };
                break;
            case 9 when !isReliable:
                var refused = One<Operation>([.. Enum.GetValues<Operation>().Where(candidate => !candidate.IsOffered(from.Transport) && candidate != Operation.Bind)]);
                request = Request(link, from, refused) with { IsSignaled = true, Invalidated = refused.IsAboutKeys() ? new Part(link.MemoryOf(to), 0, 0) : null };
                break;
            default:
                _to.SendNothing(from);
                return;
        }

        if (request.Operation.AwaitsData() && request.Parts.Any(part => part.Region == _readOnly[from.Name[0]]))
            return;
        _to.Send(from, request, HandleOf(link, from));
        if (!isLast && from.State == PairState.Err)
            _to.Send(from, Request(link, from), HandleOf(link, from));
        _to.Settle();
    }

    /// <summary>A region that was, and is gone.</summary>
    private Region Ended(QueuePair qp)
    {
        var name = $"{qp.Name[0]}mr{_made++ + 100}";
        var region = _to.Region(name, qp.Domain, PageBytes, Access.All);
        _to.End("mr", name);
        return region;
    }
}
