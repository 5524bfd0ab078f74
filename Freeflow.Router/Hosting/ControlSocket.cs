using System.Net.Sockets;
using System.Text.Json;
using Akka.Actor;
using Freeflow.Actors;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Directory;
using Freeflow.Router.Configuration;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Hosting;

/// <summary>What `freeflow status` shows.</summary>
public sealed record RouterStatus(
    string Name,
    string Address,
    IReadOnlyList<MemberStatus> Members,
    IReadOnlyDictionary<string, string> Addresses,
    ActorCensus Actors,
    EngineStatistics Engine,
    HandoverStatistics Tcp,
    ConnectionStatistics RdmaCm);

public sealed record MemberStatus(string Address, string Status, bool Reachable);

/// <summary>The operator's socket: whoever connects is told the router's state, as JSON, and closed. Only root can connect.</summary>
internal sealed class ControlSocket : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly RouterOptions _options;
    private readonly ActorSystem _system;
    private readonly VerbsEngine _engine;
    private readonly HandoverLoop _handover;
    private readonly RouterActor.Started _router;
    private readonly string _path;

    public ControlSocket(RouterOptions options, ActorSystem system, VerbsEngine engine, HandoverLoop handover, RouterActor.Started router)
    {
        _handover = handover;
        (_options, _system, _engine, _router) = (options, system, engine, router);
        _path = PathOf(options.RuntimeDirectory, options.Name);
        Directory.CreateDirectory(options.RuntimeDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Delete(_path);
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _listener.Listen(16);
        _ = ServeAsync();
    }

    public static string PathOf(string directory, string name) => Path.Combine(directory, name + ".control");

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(_path);
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using var client = await _listener.AcceptAsync();
                using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(2));
                await client.SendAsync(JsonSerializer.SerializeToUtf8Bytes(Status()), bound.Token);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                if (!File.Exists(_path))
                    return;
            }
        }
    }

    private RouterStatus Status()
    {
        var state = Akka.Cluster.Cluster.Get(_system).State;
        return new RouterStatus(
            _options.Name,
            _options.HostAddress.ToString(),
            [.. state.Members.Select(member => new MemberStatus(
                $"{member.Address.Host}:{member.Address.Port}", member.Status.ToString(), !state.Unreachable.Contains(member)))],
            Addresses(),
            ActorCensus.Of(_router.Containers, _router.Flows),
            _engine.Statistics,
            _handover.Statistics,
            _router.Connections.Now);
    }

    /// <summary>Those of other tenants than the default one with its key before them.</summary>
    private Dictionary<string, string> Addresses() => _router.Book.Owners.ToDictionary(
        entry => (entry.Key.Tenant == Tenant.Default.Key ? "" : $"{entry.Key.Tenant:x16}/") + entry.Key.Address.ToAddress(), entry => entry.Value);
}
