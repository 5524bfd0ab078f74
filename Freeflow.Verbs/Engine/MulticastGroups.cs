using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Engine;

/// <summary>A group of a tenant, as routers name it to each other.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct GroupName(ulong Tenant, Gid Group);

/// <summary>Who is in a group: QPs of this router, and other routers with such QPs.</summary>
internal sealed class MulticastGroup
{
    public List<EngineQueuePair> Members { get; } = [];

    public List<int> Peers { get; } = [];
}

/// <summary>
/// The multicast groups. Routers tell each other over the data links which groups they have members of: each change when it
/// happens, and everything when a link is new or a change found no room. So membership travels in the same stream as the
/// datagrams, and what is sent to a group goes to the routers that have members only.
/// </summary>
internal sealed class MulticastGroups(EngineCore core)
{
    /// <summary>Groups with members on one router. All their names fit into a link's buffer at once.</summary>
    public const int MaximumGroups = 8192;

    private static readonly int s_nameBytes = Marshal.SizeOf<GroupName>();

    private readonly Dictionary<GroupName, MulticastGroup> _groups = [];
    private readonly byte[] _names = new byte[FrameHeader.MaximumDatagram];
    private int _own;

    public MulticastGroup? Find(ulong tenant, in Gid group) => _groups.GetValueOrDefault(new GroupName(tenant, group));

    /// <summary>Makes a QP a member; it may be one already. False when there are too many groups.</summary>
    public bool Join(EngineQueuePair qp, in Gid gid)
    {
        var name = new GroupName(qp.Connection.Port.Tenant, gid);
        var group = Find(name.Tenant, gid);
        if (group?.Members.Contains(qp) == true)
            return true;
        if (group is not { Members.Count: > 0 } && _own == MaximumGroups)
            return false;
        if (group is null)
            _groups.Add(name, group = new MulticastGroup());
        group.Members.Add(qp);
        qp.Groups.Add(name);
        if (group.Members.Count == 1)
        {
            core.Statistics.Groups = ++_own;
            TellAll(GroupNews.Joined, name);
        }

        return true;
    }

    public void Leave(EngineQueuePair qp, Gid gid)
    {
        foreach (var name in qp.Groups.Where(name => name.Group == gid).ToArray())
            Leave(qp, name);
    }

    /// <summary>The QP is destroyed.</summary>
    public void LeaveAll(EngineQueuePair qp)
    {
        foreach (var name in qp.Groups.ToArray())
            Leave(qp, name);
    }

    /// <summary>The link to a peer is gone; a new one will bring its groups again.</summary>
    public void Forget(int peer)
    {
        foreach (var (name, group) in _groups.ToArray())
        {
            group.Peers.Remove(peer);
            RemoveIfEmpty(name, group);
        }
    }

    /// <summary>A peer says which groups it has members of. False when that is no sense.</summary>
    public bool Hear(int peer, GroupNews news, ReadOnlySpan<byte> names)
    {
        if (names.Length % s_nameBytes != 0 || news > GroupNews.Left)
            return false;
        if (news == GroupNews.All)
            Forget(peer);
        foreach (ref readonly var name in MemoryMarshal.Cast<byte, GroupName>(names))
        {
            var group = _groups.GetValueOrDefault(name);
            if (news == GroupNews.Left)
            {
                if (group?.Peers.Remove(peer) == true)
                    RemoveIfEmpty(name, group);
            }
            else if (group?.Peers.Contains(peer) != true)
            {
                if (group is null)
                {
                    if (_groups.Count >= MaximumGroups * 64)
                        return false;
                    _groups.Add(name, group = new MulticastGroup());
                }

                group.Peers.Add(peer);
            }
        }

        return true;
    }

    /// <summary>Tells a peer everything, if there is room on the link.</summary>
    public void TellEverything(DataLink link)
    {
        if (!link.MakeRoom())
            return;
        link.OwesGroups = false;
        var (news, count) = (GroupNews.All, 0);
        foreach (var (name, group) in _groups)
        {
            if (group.Members.Count == 0)
                continue;
            MemoryMarshal.Write(_names.AsSpan(count), name);
            count += s_nameBytes;
            if (count + s_nameBytes <= _names.Length)
                continue;
            link.TellGroups(news, _names.AsSpan(0, count));
            (news, count) = (GroupNews.Joined, 0);
        }

        if (news == GroupNews.All || count > 0)
            link.TellGroups(news, _names.AsSpan(0, count));
    }

    private void Leave(EngineQueuePair qp, in GroupName name)
    {
        qp.Groups.Remove(name);
        var group = _groups[name];
        group.Members.Remove(qp);
        if (group.Members.Count > 0)
            return;
        core.Statistics.Groups = --_own;
        TellAll(GroupNews.Left, name);
        RemoveIfEmpty(name, group);
    }

    private void TellAll(GroupNews news, in GroupName name)
    {
        foreach (var link in core.Links.Values)
        {
            if (link.OwesGroups)
                continue;
            if (link.MakeRoom())
                link.TellGroups(news, MemoryMarshal.AsBytes(new ReadOnlySpan<GroupName>(in name)));
            else
                link.OwesGroups = true;
        }
    }

    private void RemoveIfEmpty(in GroupName name, MulticastGroup group)
    {
        if (group.Members.Count == 0 && group.Peers.Count == 0)
            _groups.Remove(name);
    }
}
