using System.Net;
using Freeflow.Actors;
using Freeflow.Verbs.Channel;
using Freeflow.Actors.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Configuration;

/// <summary>The router's settings, checked. Their meaning, units and defaults are in hocon/reference.conf.</summary>
public sealed record RouterOptions(
    string Name,
    string Directory,
    string RuntimeDirectory,
    IPAddress HostAddress,
    int ClusterPort,
    IReadOnlyList<string> Seeds,
    int LinkPort,
    EngineOptions Engine,
    HandoverOptions Tcp,
    bool AcceleratesPrivileged,
    TenantRules Tenants,
    ShimListenerOptions Shim,
    ConnectionLimits Limits,
    TimeSpan ContainerLinger,
    string LogLevel);

/// <summary>A setting is wrong; the message is one line that names the key, the value and what is accepted.</summary>
public sealed class ConfigurationException(string message) : Exception(message);
