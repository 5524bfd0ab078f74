namespace Freeflow.EndToEnd.Tests.Security;

/// <summary>A lab beside the shared one whose routers show certificates, and encrypt their links.</summary>
public sealed class SecureLab : LabFixture
{
    public const string Collection = "secure lab";

    public SecureLab()
        : base("secure") => Hosts.Up(new() { Hosts = 2, Containers = 2, Settings = [.. Certificates.Settings, "freeflow.link.encrypt=true"] });

    public HostCertificates Certificates { get; } = new(2);

    public override void Dispose()
    {
        base.Dispose();
        Certificates.Dispose();
    }
}

[CollectionDefinition(SecureLab.Collection)]
public sealed class SecureCollection : ICollectionFixture<SecureLab>;
