namespace Freeflow.Verbs.Tests.Handover;

/// <summary>What holds for links holds for encrypted ones.</summary>
public sealed class EncryptedLinksAnnounceConnections : ConnectionsAreHandedOver
{
    protected override bool Encrypts => true;
}
