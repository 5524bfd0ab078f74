using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

/// <summary>
/// Memory windows over a link's memory: bound at one end, used from the other. Left out is what a kernel's device checks less
/// of, or not at all (docs/compatibility.md), and the invalidation of a window that is not bound, which takes the kernel down.
/// </summary>
public sealed partial class SequenceGenerator
{
    private const int MostWindows = 6;
    private const int LargestWindow = 4000;

    private readonly HashSet<Region> _windowed = [];

    private void Windows(PairLink link)
    {
        if (link.A.Transport == Transport.Datagram)
        {
            if (Chance(20))
                BindWithoutConnection(link.A);
            return;
        }

        Quieten(link);
        var (owner, user) = Chance(50) ? (link.A, link.B) : (link.B, link.A);
        var mine = _to.Windows.Where(window => window.IsAlive && window.Name[0] == owner.Name[0]).ToList();
        var open = mine.Where(window => window.Bound is not null).ToList();
        var window = open.Count > 0 && Chance(70) ? One(open)
            : mine.Count < 2 || (mine.Count < MostWindows && Chance(20)) ? Allocate(owner.Name[0]) : One(mine);
        if (Chance(8))
        {
            EndWindow(window);
            return;
        }

        if (window.Bound is null || (window.Type == 1 && Chance(20)) || Chance(5))
            Bind(link, owner, window);
        if (owner.Transport != Transport.Reliable || window.Bound is null)
            return;
        for (var i = _random.Next(3); i > 0 && link.IsUp; i--)
            UseWindow(link, user, window);
        if (link.IsUp && Chance(60))
            Invalidate(link, owner, window);
    }

    private void Quieten(PairLink link)
    {
        if (link.IsUp && link.A.Sends.Count + link.B.Sends.Count == 0)
            return;
        Connect(link);
        _to.Settle();
    }

    private Window Allocate(char side)
    {
        if (Chance(5))
            _to.RefusedWindow($"{side}mw{_made++}", $"{side}pd0", 3);
        return _to.Window($"{side}mw{_made++}", $"{side}pd{(Chance(10) ? 1 : 0)}", One(1, 2, 2));
    }

    private void EndWindow(Window window)
    {
        _to.End(window);
        if (!Chance(50))
            return;

        // What it opened on can go again.
        foreach (var region in _to.Regions.Where(region => region.IsAlive && _windowed.Remove(region)).ToList())
            _to.End("mr", region.Name);
    }

    private void Bind(PairLink link, QueuePair owner, Window window)
    {
        var side = owner.Name[0];
        var region = Chance(75) ? link.MemoryOf(owner) : Windowed(side);
        var length = _random.Next(ReceiveBytes, LargestWindow);
        var access = (Access)(2 * _random.Next(1, 8));
        var isCall = Chance(window.Type == 1 ? 60 : 10);
        if (window.Type == 2 && Chance(25))
            access |= Access.ZeroBased;
        var offset = 8 * _random.Next((region.Memory.Length - length) / 8);
        switch (_random.Next(25))
        {
            case 0:
                region = One(_localOnly[side], _readOnly[side]);
                (offset, length) = (0, 64);
                access |= Access.RemoteWrite;
                break;
            case 1:
                (offset, length, access) = (region.Memory.Length - 32, 64, access & ~Access.ZeroBased);
                break;
            case 2:
                (offset, length) = (0, 0);
                break;
            case 3 when isCall:
                region = _foreign[side];
                (offset, length) = (0, 64);
                break;
            case 4 when isCall || window.Type == 1:
                access |= Access.ZeroBased;
                break;
        }

        // A window of type 1 of another PD may be bound on a kernel's device.
        if (window.Type == 1 && window.Domain != owner.Domain)
            return;
        if (Chance(30) && PostReceives(link, link.Other(owner), 1 - link.Other(owner).Receives.Count) > 0 && link.Other(owner).Receives.Count > 0)
            _to.Send(owner, Request(link, owner, Operation.Send) with { IsSignaled = true });
        var isSignaled = Chance(80);
        _to.Bind(owner, new Binding(window, region, offset, length, access), isCall, isSignaled);
        if (owner.State == PairState.Err && Chance(50))
            _to.Send(owner, Request(link, owner));
        _to.Settle();
        if (region.Windows > 0 && region != link.MemoryOf(owner) && Chance(50))
            _to.End("mr", region.Name);
        if (Chance(10))
            _to.End("pd", window.Domain);
    }

    /// <summary>A region of its own, for windows.</summary>
    private Region Windowed(char side)
    {
        var region = _to.Region($"{side}mr{_made++ + 100}", $"{side}pd0", PageBytes, Access.LocalWrite | Access.Bind);
        _windowed.Add(region);
        return region;
    }

    /// <summary>One request through a window; half of them have something wrong.</summary>
    private void UseWindow(PairLink link, QueuePair user, Window window)
    {
        var bound = window.Bound!;
        var operation = One(Operation.Write, Operation.WriteImmediate, Operation.Read, Operation.Swap, Operation.Add);
        if (Chance(70) && (bound.Access & operation.Needs()) == Access.None)
            operation = (bound.Access & Access.RemoteWrite) != 0 ? Operation.Write : (bound.Access & Access.RemoteRead) != 0 ? Operation.Read : Operation.Add;
        if (operation.TakesReceive() && PostReceives(link, link.Other(user), 1 - link.Other(user).Receives.Count) < 1 - link.Other(user).Receives.Count)
            return;
        var request = Request(link, user, operation) with { IsSignaled = true };
        var length = operation.IsAtomic() ? sizeof(ulong) : (int)request.Length;
        var into = _random.Next(bound.Length - length + 1);
        if (operation.IsAtomic())
            into = into / sizeof(ulong) * sizeof(ulong);
        var place = new Part(bound.Region, bound.Offset + into, 0) { Through = window };
        place = _random.Next(12) switch
        {
            0 => place with { HasWrongKey = true },
            1 when window.Bindings > 0 => place with { HasFormerKey = true },
            2 => place with { Offset = bound.Region.Memory.Length },
            _ => place,
        };
        _to.Send(user, request with { Remote = place });
        _to.Settle();
        if (Chance(30))
            _to.Sum(bound.Region);
    }

    /// <summary>Takes the key back, by its owner or by a send of its user.</summary>
    private void Invalidate(PairLink link, QueuePair owner, Window window)
    {
        var user = link.Other(owner);
        var region = link.MemoryOf(owner);
        var key = new Part(window.Bound?.Region ?? region, window.Bound?.Offset ?? 0, 0) { Through = window };
        key = _random.Next(10) switch
        {
            0 => key with { HasWrongKey = true },
            1 when window.Bindings > 0 => key with { HasFormerKey = true },
            2 => new Part(region, 0, 0),

            // A kernel's device lets any QP take any window back, and any window that is not bound takes the kernel down.
            _ when window.Type == 2 && window.Owner != owner => new Part(region, 0, 0, HasWrongKey: true),
            _ => key,
        };
        if (Chance(50))
        {
            _to.Send(owner, new SendRequest(0, Operation.Invalidate, []) { Invalidated = key });
        }
        else
        {
            if (PostReceives(link, owner, 1 - owner.Receives.Count) < 1 - owner.Receives.Count)
                return;
            _to.Send(user, Request(link, user, Operation.SendInvalidate) with { Invalidated = key });
        }

        _to.Settle();
        if (window.Bound is null && link.IsUp && Chance(30))
        {
            _to.Send(user, Request(link, user, Operation.Read) with { IsSignaled = true, Remote = key with { Through = window } });
            _to.Settle();
        }
    }

    /// <summary>Windows are not for datagrams: the library says so.</summary>
    private void BindWithoutConnection(QueuePair qp)
    {
        var side = qp.Name[0];
        var window = _to.Windows.Find(window => window.IsAlive && window.Name[0] == side && window.Bound is null) ?? Allocate(side);
        _to.Bind(qp, new Binding(window, _localOnly[side], 0, 64, Access.RemoteRead), isCall: false);
        _to.Settle();
    }
}
