namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>Unstable: whatever glibc and musl are the newest.</summary>
[Trait("Tier", "All")]
public sealed class Sid(Sid.Root root) : Image(root), IClassFixture<Sid.Root>
{
    public sealed class Root() : ImageLab("sid");
}
