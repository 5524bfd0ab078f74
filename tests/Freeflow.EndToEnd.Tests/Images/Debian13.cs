namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>glibc 2.41, musl 1.2.5.</summary>
[Trait("Tier", "All")]
public sealed class Debian13(Debian13.Root root) : Image(root), IClassFixture<Debian13.Root>
{
    public sealed class Root() : ImageLab("trixie");
}
