using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote;
using Akka.Remote.Transport;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Underlay;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>
/// What Akka.Remote goes over between routers: TCP, with mutual TLS where there are certificates. In the place of Akka's own, which takes
/// its certificate once for the life of the process, speaks TLS 1.2 at most, and lets everybody begin. Without certificates the bytes are
/// those of Akka's own.
/// </summary>
public sealed class RouterTransport : Transport
{
    private const int MaximumHandshakes = 256;
    private const int MaximumHandshakesFromOne = 32;

    private static readonly TimeSpan s_handshakeWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_shutdownWithin = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<RouterAssociation, bool> _associations = new(ReferenceEqualityComparer.Instance);
    private readonly TaskCompletionSource<IAssociationEventListener> _listenerPromise = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly HandshakeGate _gate = new(MaximumHandshakes, MaximumHandshakesFromOne);
    private readonly ILoggingAdapter _log;
    private readonly Refusals _refusals;
    private readonly ClusterCertificates? _certificates;
    private readonly IPNetwork? _allowed;
    private readonly Action<DialFailure>? _undialed;
    private readonly string _host;
    private readonly int _port;
    private readonly int _backlog;
    private readonly TimeSpan _connectWithin;
    private Socket? _listener;
    private Address? _local;

    /// <summary>Akka calls this.</summary>
    public RouterTransport(ActorSystem system, Config config)
    {
        (System, Config) = (system, config);
        SchemeIdentifier = "tcp";
        MaximumPayloadBytes = config.GetByteSize("maximum-frame-size") ?? throw new ConfigurationException("maximum-frame-size is missing");
        _host = config.GetString("hostname");
        _port = config.GetInt("port");
        _backlog = config.GetInt("backlog");
        _connectWithin = config.GetTimeSpan("connection-timeout");
        _log = Logging.GetLogger(system, typeof(RouterTransport));
        _refusals = new Refusals(_log, TimeProvider.System);
        if (system.Settings.Setup.Get<TransportSetup>() is { HasValue: true, Value: var setup })
            (_certificates, _allowed, _undialed) = (setup.Certificates, setup.Allowed, setup.Undialed);
        if (_certificates is not null)
            _certificates.Replaced += EndWhoIsTrustedNoLonger;
    }

    public override bool IsResponsibleFor(Address remote) => true;

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        var at = new IPEndPoint(IPAddress.Parse(_host), _port);
        _listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            PortReuse.Allow(_listener);
            _listener.Bind(at);
            _listener.Listen(_backlog);
        }
        catch (SocketException error)
        {
            _listener.Dispose();
            return Task.FromException<(Address, TaskCompletionSource<IAssociationEventListener>)>(new RemoteTransportException($"the cluster's port {at}: {error.Message}", error));
        }

        _local = AddressOf((IPEndPoint)_listener.LocalEndPoint!);
        _ = AcceptAllAsync(_listener);
        return Task.FromResult((_local, _listenerPromise));
    }

    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(_connectWithin);
        Socket? socket = null;
        try
        {
            var to = await EndPointOf(remoteAddress, limit.Token).ConfigureAwait(false);
            socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            SetOptions(socket);
            // From the address that this router's certificate, and the others' networks, know it by.
            socket.Bind(new IPEndPoint(IPAddress.Parse(_host), 0));
            await socket.ConnectAsync(to, limit.Token).ConfigureAwait(false);
            var secured = _certificates is null ? null : await Handshake.DialAsync(socket, to.Address, remoteAddress.Host, _certificates, limit.Token).ConfigureAwait(false);
            return Begin(remoteAddress, socket, secured, isDialed: true);
        }
        catch (InvalidDataException problem)
        {
            socket?.Dispose();
            _log.Warning("Cluster: no TLS with {0}: {1}", remoteAddress, problem.Message);
            _undialed?.Invoke(new DialFailure(remoteAddress, $"no TLS with it: {problem.Message}", IsDistrust: true));
            throw new InvalidAssociationException($"No TLS with {remoteAddress}: {problem.Message}");
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            socket?.Dispose();
            var reason = error is OperationCanceledException ? $"not within {_connectWithin}" : error.Message;
            _undialed?.Invoke(new DialFailure(remoteAddress, reason, IsDistrust: false));
            throw new InvalidAssociationException($"Can't connect to {remoteAddress}: {reason}");
        }
    }

    public override async Task<bool> Shutdown()
    {
        if (_certificates is not null)
            _certificates.Replaced -= EndWhoIsTrustedNoLonger;
        _listener?.Dispose();
        var all = _associations.Keys.ToList();
        foreach (var association in all)
            association.Disassociate("the transport is shut down", _log);
        await Task.WhenAny(Task.WhenAll(all.Select(association => association.Over)), Task.Delay(s_shutdownWithin)).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (var association in _associations.Keys)
            association.Close(null);
        return true;
    }

    private async Task AcceptAllAsync(Socket listener)
    {
        var associations = await _listenerPromise.Task.ConfigureAwait(false);
        while (true)
        {
            try
            {
                var socket = await listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                _ = WelcomeAsync(socket, associations);
            }
            catch (Exception error) when (error is ObjectDisposedException or OperationCanceledException || _stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.OperationAborted or SocketError.Interrupted or SocketError.NotSocket or SocketError.InvalidArgument)
            {
                return;
            }
            catch (SocketException error)
            {
                _log.Warning("Cluster: accepting failed: {0}", error.Message);
                await Task.Delay(100).ConfigureAwait(false);
            }
        }
    }

    private async Task WelcomeAsync(Socket socket, IAssociationEventListener associations)
    {
        IPEndPoint from;
        try
        {
            from = (IPEndPoint)socket.RemoteEndPoint!;
            SetOptions(socket);
        }
        catch (SocketException)
        {
            // It has gone already.
            socket.Dispose();
            return;
        }

        var address = from.Address.IsIPv4MappedToIPv6 ? from.Address.MapToIPv4() : from.Address;
        if (_certificates is null && OpenUnderlay.Refusal(address, _allowed) is { } stranger)
        {
            Refuse(socket, from, stranger);
            return;
        }

        if (_certificates is null)
        {
            associations.Notify(new InboundAssociation(Begin(AddressOf(from), socket, null, isDialed: false)));
            return;
        }

        if (!_gate.TryEnter(address))
        {
            Refuse(socket, from, "too many connections are on their way");
            return;
        }

        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(s_handshakeWithin);
            var secured = await Handshake.AcceptAsync(socket, address, _certificates, limit.Token).ConfigureAwait(false);
            associations.Notify(new InboundAssociation(Begin(AddressOf(from), socket, secured, isDialed: false)));
        }
        catch (OperationCanceledException)
        {
            Refuse(socket, from, $"no TLS handshake within {s_handshakeWithin.TotalSeconds} s");
        }
        catch (Exception error) when (error is InvalidDataException or SocketException or IOException or ObjectDisposedException)
        {
            Refuse(socket, from, error.Message);
        }
        finally
        {
            _gate.Leave(address);
        }
    }

    private RouterAssociation Begin(Address remote, Socket socket, Secured? secured, bool isDialed)
    {
        var association = new RouterAssociation(_local!, remote, socket, secured, isDialed, (int)MaximumPayloadBytes, Ended);
        _associations.TryAdd(association, true);
        association.Start();
        return association;
    }

    private void Ended(RouterAssociation association, string? reason)
    {
        _associations.TryRemove(association, out _);
        if (reason is null)
            return;
        if (association.HasHeard)
            _log.Info("Cluster: the connection with {0} has ended: {1}", association.RemoteAddress, reason);
        else if (association.IsDialed)
        {
            // With TLS 1.3 this is where one learns that the own certificate was not good enough.
            _log.Warning("Cluster: {0} has ended the connection: {1}", association.RemoteAddress, reason);
            _undialed?.Invoke(new DialFailure(association.RemoteAddress, $"it has ended the connection: {reason}", IsDistrust: true));
        }
        else
            _refusals.Tell(association.RemoteAddress, reason);
    }

    private void EndWhoIsTrustedNoLonger(string description)
    {
        foreach (var association in _associations.Keys)
        {
            if (association.Peer is { } peer && _certificates!.WhyNoLonger(peer, association.Between) is { } wrong)
            {
                _log.Warning("Cluster: ended the connection with {0}: its certificate {1}", association.RemoteAddress, wrong);
                association.Close(null);
            }
        }
    }

    private void Refuse(Socket socket, IPEndPoint from, string reason)
    {
        _refusals.Tell(from, reason);
        socket.Dispose();
    }

    private static void SetOptions(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
    }

    private Address AddressOf(IPEndPoint at) =>
        new(SchemeIdentifier, System.Name, at.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{at.Address}]" : at.Address.ToString(), at.Port);

    private async Task<IPEndPoint> EndPointOf(Address address, CancellationToken stop)
    {
        if (IPAddress.TryParse(address.Host, out var known))
            return new IPEndPoint(known, address.Port ?? 0);
        var family = IPAddress.Parse(_host).AddressFamily;
        var found = await Dns.GetHostAddressesAsync(address.Host, family, stop).ConfigureAwait(false);
        return found.Length > 0 ? new IPEndPoint(found[0], address.Port ?? 0) : throw new SocketException((int)SocketError.HostNotFound);
    }
}
