using System.Net;
using Freeflow.Actors;
using Freeflow.Verbs.Channel;
using Freeflow.Actors.ClusterTransport;
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
    IPNetwork? HostNetwork,
    CertificateFiles? Tls,
    int ClusterPort,
    SeedOptions Seeds,
    int LinkPort,
    bool EncryptLinks,
    AdminOptions? Admin,
    EngineOptions Engine,
    HandoverOptions Tcp,
    bool AcceleratesPrivileged,
    TenantRules Tenants,
    string PolicyFile,
    string LabelFile,
    TimeSpan LookAtPolicyEvery,
    ShimListenerOptions Shim,
    string? InstallShimTo,
    ConnectionLimits Limits,
    TimeSpan ContainerLinger,
    string LogLevel,
    string LogFormat);

/// <summary>A setting is wrong; the message is one line that names the key, the value and what is accepted.</summary>
public sealed class ConfigurationException(string message) : Exception(message);
