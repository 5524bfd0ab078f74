using Freeflow.Actors.Directory;
using Freeflow.Actors.QueuePairs;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

// Address handles: records of the connection, which the engine reads.
public sealed partial class ConnectionActor
{
    private readonly HandleTable<Handle> _addressHandles;
    private (UverbsCall Call, Domain Domain, DatagramRoute Route)? _resolving;

    private sealed class Handle(Domain domain)
    {
        public void Release() => domain.Users--;
    }

    private void CreateAh(UverbsCall call)
    {
        if (!call.TryRead<CreateAhCommand>(out var command) || command.Attributes.PortNum != Port)
        {
            Fail(Errno.EINVAL);
            return;
        }

        if (!_domains.TryGet(command.PdHandle, out var domain))
        {
            Fail(Errno.ENOENT);
            return;
        }

        if (RouteOf(command.Attributes, out var errno) is not { } route)
        {
            Fail(errno);
            return;
        }

        if (!route.IsMulticast && !_plane.Policy.Current.AllowsPair(_device.EnginePort, route.Local, route.Remote))
        {
            Fail(Errno.EACCES);
            return;
        }

        if (!_addressHandles.HasRoom)
        {
            Fail(Errno.ENOMEM);
            return;
        }

        var remote = TenantAddress.Of(_device.Tenant, route.Remote);
        if (route.IsMulticast || _plane.Book.PeerOf(remote) is not null)
        {
            Respond(AddHandle(call, domain, route));
            return;
        }

        // The address may still be on its way here. The directory answers within a bound, as the kernel waits for a neighbour.
        _resolving = (call, domain, route);
        _plane.Directory.Tell(new DirectoryProtocol.Find(remote), Self);
        Await();
    }

    private void AnswerAddress(bool found)
    {
        if (_resolving is not { } waiting)
            return;
        _resolving = null;
        if (found)
            Respond(AddHandle(waiting.Call, waiting.Domain, waiting.Route));
        else
            Fail(Errno.ETIMEDOUT);
        Resume();
    }

    private void DestroyAh(UverbsCall call)
    {
        if (!call.TryRead<DestroyAhCommand>(out var command) || !_addressHandles.TryGet(command.AhHandle, out var handle))
        {
            Fail(Errno.ENOENT);
            return;
        }

        _addressHandles.Remove(command.AhHandle);
        _engineConnection!.AddressHandles.Set(NumberOf(command.AhHandle), null);
        handle.Release();
        Done();
    }

    private byte[] AddHandle(UverbsCall call, Domain domain, in DatagramRoute route)
    {
        var handle = _addressHandles.Add(new Handle(domain));
        domain.Users++;
        _engineConnection!.AddressHandles.Set(NumberOf(handle), new EngineAddressHandle(domain.Number, route));
        return call.Respond(new CreateAhResponse { AhHandle = handle, AhNumber = NumberOf(handle) });
    }

    private DatagramRoute? RouteOf(in AddressAttributes attributes, out int errno)
    {
        var destination = new QpDestination
        {
            Dgid = attributes.Dgid, Dlid = attributes.Dlid, SgidIndex = attributes.SgidIndex, IsGlobal = attributes.IsGlobal,
        };
        return QueuePairEnds.Read(destination, _device, out errno) is { } ends
            ? new DatagramRoute(ends.Local, ends.Remote, attributes.FlowLabel, attributes.HopLimit, attributes.TrafficClass)
            : null;
    }

    // 0 means to a library that there is none.
    private static uint NumberOf(uint handle) => handle + 1;
}
