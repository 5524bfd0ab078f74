using System.Net;
using System.Runtime.CompilerServices;
using Akka.Cluster;
using Freeflow.Actors;
using Freeflow.Actors.Directory;
using Freeflow.Router.Control;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;

namespace Freeflow.Router.Ping;

/// <summary>Round trips over the data link to another router: from engine to engine, by the way that RDMA takes.</summary>
internal sealed class Pinger(Cluster cluster, VerbsEngine engine, AddressBook book)
{
    public const int MostPings = 10_000;
    private const int MostMilliseconds = 60_000;

    private static readonly TimeSpan s_answersWithin = TimeSpan.FromSeconds(3);

    public ControlStream Ping(ControlRequest request)
    {
        var count = request.Number("Count", 5, 1, MostPings);
        var pause = TimeSpan.FromMilliseconds(request.Number("Interval", 200, 1, MostMilliseconds));
        var node = Find(request.Text("Target") ?? "", request.Text("Tenant"));
        return new ControlStream(PingAsync(node, count, pause));
    }

    private async IAsyncEnumerable<object> PingAsync(string node, int count, TimeSpan pause, [EnumeratorCancellation] CancellationToken stop = default)
    {
        var router = NodeName.AddressOf(node) is { } at ? $"{at.Host}:{at.Port}" : node;
        for (var sequence = 1; sequence <= count; sequence++)
        {
            if (sequence > 1)
                await Task.Delay(pause, stop);
            var answered = new TaskCompletionSource<TimeSpan?>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (book.Peers.FirstOrDefault(peer => peer.Key == node) is not { Key: not null } peer)
                throw new ControlException($"{router} is no member any more");
            engine.Ping(peer.Value, answered.SetResult);
            var isInTime = await Task.WhenAny(answered.Task, Task.Delay(s_answersWithin, stop)) == answered.Task;
            stop.ThrowIfCancellationRequested();
            var took = isInTime ? await answered.Task : null;
            var problem = took is not null ? null : isInTime ? "no data link, or no room on it" : $"no answer within {s_answersWithin.TotalSeconds} s";
            yield return new PingAnswer(router, sequence, took?.TotalMicroseconds, problem);
        }
    }

    /// <summary>A member by its address, with or without the port, or the router of a container's address.</summary>
    private string Find(string target, string? tenant)
    {
        if (!IPEndPoint.TryParse(target, out var asked))
            throw new ControlException("\"Target\" has to be the address of a router or a container");
        var members = cluster.State.Members.Where(member => member.Address.Host == asked.Address.ToString() && (asked.Port == 0 || member.Address.Port == asked.Port)).ToList();
        if (members.Count > 0)
            return Other(NodeName.Of(members[0].UniqueAddress), target);
        var key = tenant is null ? (ulong?)null : new Tenant(tenant).Key;
        var owners = book.Owners.Where(owner => owner.Key.Address == Gid.FromAddress(asked.Address) && (key is null || owner.Key.Tenant == key)).Select(owner => owner.Value).Distinct().ToList();
        return owners.Count switch
        {
            0 => throw new ControlException($"{target} is neither a member nor the address of a container"),
            1 => Other(owners[0], target),
            _ => throw new ControlException($"several tenants have {target}; name one by --tenant"),
        };
    }

    private string Other(string node, string target) => book.IsOwn(node) ? throw new ControlException($"{target} is on this host: there is no link to it") : node;
}
