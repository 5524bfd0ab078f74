using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Lab;

/// <summary>Which root file system a container of a lab has.</summary>
[Trait("Tier", "All")]
public sealed class RootsGoToWhoTheyAreFor
{
    [Fact]
    public void WithoutAnyAContainerHasTheMachines() => Assert.Null(new LabRoots().Of(1, 1));

    [Fact]
    public void WhatNamesFewerContainersGoesFirst()
    {
        LabRoots roots = ["h2c1=/one", "/all", "h2=/two"];
        Assert.Equal("/all", roots.Of(1, 1));
        Assert.Equal("/two", roots.Of(2, 2));
        Assert.Equal("/one", roots.Of(2, 1));
    }

    [Fact]
    public void ADirectoryMayHaveAnEqualsSignInItsName()
    {
        LabRoots roots = ["h1=/odd=name", "/h2=/all"];
        Assert.Equal("/odd=name", roots.Of(1, 1));
        Assert.Equal("/h2=/all", roots.Of(2, 1));
    }

    [Fact]
    public void WhatFitsIsTakenAndWhatDoesNotIsRefused()
    {
        string[] nodes = ["h1", "h1c1"];
        new LabRoots { "/", "h1=/", "h1c1=/" }.MustFit(nodes);
        Assert.Contains("h2", Assert.Throws<LabException>(() => new LabRoots { "h2=/" }.MustFit(nodes)).Message);
        Assert.Contains("/no/such", Assert.Throws<LabException>(() => new LabRoots { "/no/such" }.MustFit(nodes)).Message);
    }
}
