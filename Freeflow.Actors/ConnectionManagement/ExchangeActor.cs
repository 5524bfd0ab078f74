using Akka.Actor;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Events;
using Freeflow.Actors.Roll;
using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>
/// Where requests for connections arrive, from this router's containers and from the others': it hands each to the connection
/// manager of the container that has the address. What follows goes from id to id.
/// </summary>
public sealed class ExchangeActor : ListedActor
{
    /// <summary>Its name below /user/router, the same in every router.</summary>
    public const string Name = "exchange";

    private const int GidBytes = 16;

    private readonly AddressBook _book;
    private readonly Dictionary<TenantAddress, IActorRef> _managers = [];

    public ExchangeActor(AddressBook book)
    {
        _book = book;
        Receive<Serve>(serve =>
        {
            Forget(serve.Manager);
            Context.Watch(serve.Manager);
            foreach (var address in serve.Addresses)
                _managers[address] = serve.Manager;
        });
        Receive<Terminated>(ended => Forget(ended.ActorRef));
        Receive<CommunicationProtocol.Request>(Deliver);
    }

    public static Props Props(AddressBook book) => Akka.Actor.Props.Create(() => new ExchangeActor(book));

    /// <summary>A manager takes the requests for exactly these addresses.</summary>
    public sealed record Serve(IActorRef Manager, IReadOnlyList<TenantAddress> Addresses);

    private void Forget(IActorRef manager)
    {
        foreach (var address in _managers.Where(entry => entry.Value.Equals(manager)).Select(entry => entry.Key).ToArray())
            _managers.Remove(address);
    }

    private void Deliver(CommunicationProtocol.Request request)
    {
        if (request is not { Route: { Source.Length: GidBytes, Destination.Length: GidBytes } route, End: not null, PrivateData: not null })
            return;
        var span = ControlTrace.Message(request, Sender);
        var cause = span.Or(request.Cause);
        if (!SpeaksFor(route))
        {
            span.End(Errno.EACCES);
            Context.Report(
                EventKind.ForeignAddressClaimed, $"Exchange: {Sender.Path.Address} asks in the name of an address that is not its own", ("router", Sender.Path.Address));
            return;
        }

        if (_managers.TryGetValue(new TenantAddress(route.Tenant, new Gid(route.Destination)), out var manager))
        {
            manager.Tell(new ConnectionManagerProtocol.Incoming(request.For(cause), Sender, span));
            return;
        }

        if (request.IsLookup)
            Sender.Tell(new CommunicationProtocol.Found(LookupStatus.Unsupported, 0, 0, []).For(cause));
        else
            Sender.Tell(new CommunicationProtocol.Reject(RejectReason.InvalidServiceId, []).For(cause));
        span.With(RejectReason.Attribute, (int)RejectReason.InvalidServiceId).End(0);
    }

    /// <summary>A router speaks for its own containers only. An owner may not be known here yet.</summary>
    private bool SpeaksFor(CommunicationProtocol.Route route)
    {
        if (Sender.Path.Address.HasLocalScope || !_book.Owners.TryGetValue(new TenantAddress(route.Tenant, new Gid(route.Source)), out var owner))
            return true;
        return NodeName.AddressOf(owner) == Sender.Path.Address;
    }
}
