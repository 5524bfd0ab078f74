using Freeflow.Actors.Containers;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>What an id is made with.</summary>
/// <param name="Plane">What all share.</param>
/// <param name="Ports">The container's ports.</param>
/// <param name="Device">The container's device, as it is now.</param>
/// <param name="Number">Its number.</param>
/// <param name="Uid">What the application knows it by; 0 for a request that nobody has accepted yet.</param>
/// <param name="Space">Its port space.</param>
/// <param name="Type">Its QP's type.</param>
public sealed record CommunicationIdSpec(
    ControlPlane Plane, PortTable Ports, ContainerDevice Device, uint Number, ulong Uid, PortSpace Space, QueuePairType Type);
