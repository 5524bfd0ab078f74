using System.Net;
using System.Net.NetworkInformation;

namespace Freeflow.Verbs.Containers;

/// <summary>An address of a container and the interface that has it. Mtu in bytes.</summary>
public sealed record InterfaceAddress(
    IPAddress Address, int PrefixLength, string Interface, int InterfaceIndex, bool Up, int Mtu, PhysicalAddress Mac);
