namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>glibc 2.36, musl 1.2.3.</summary>
[Trait("Tier", "All")]
public sealed class Debian12(Debian12.Root root) : Image(root), IClassFixture<Debian12.Root>
{
    public sealed class Root() : ImageLab("bookworm");
}
