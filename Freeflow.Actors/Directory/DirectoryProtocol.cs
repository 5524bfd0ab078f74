using Freeflow.Verbs.Abi;

namespace Freeflow.Actors.Directory;

/// <summary>What the directory is asked.</summary>
public static class DirectoryProtocol
{
    /// <summary>A container of this router has exactly these addresses; none when it is gone.</summary>
    public sealed record Claim(string Container, IReadOnlyList<Gid> Addresses);

    /// <summary>Which peer has an address that the address book does not show yet? Answered by Found or, after a bound, NotFound.</summary>
    public sealed record Find(Gid Address);

    public sealed record Found(int Peer);

    public sealed record NotFound(Gid Address);
}
