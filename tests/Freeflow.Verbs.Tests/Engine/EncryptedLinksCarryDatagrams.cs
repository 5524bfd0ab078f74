namespace Freeflow.Verbs.Tests.Engine;

/// <summary>What holds for links holds for encrypted ones.</summary>
public sealed class EncryptedLinksCarryDatagrams : DatagramsAreDelivered
{
    protected override bool Encrypts => true;
}
