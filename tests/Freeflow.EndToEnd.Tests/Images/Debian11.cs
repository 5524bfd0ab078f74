namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>glibc 2.31, musl 1.2.2.</summary>
[Trait("Tier", "All")]
public sealed class Debian11(Debian11.Root root) : Image(root), IClassFixture<Debian11.Root>
{
    public sealed class Root() : ImageLab("bullseye");
}
