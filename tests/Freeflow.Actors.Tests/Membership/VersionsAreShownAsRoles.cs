using Freeflow.Actors.Membership;

namespace Freeflow.Actors.Tests.Membership;

public sealed class VersionsAreShownAsRoles
{
    [Fact]
    public void TheOwnIsTheProgramsAndIsUnderstood() => Assert.Equal(WireVersion.Current, WireVersion.Of([WireVersion.Role]));

    [Fact]
    public void RoutersFromBeforeThereWasOneShowNone() => Assert.Equal(WireVersion.Unsaid, WireVersion.Of([]));

    [Fact]
    public void OtherRolesSayNothingOfIt() => Assert.Equal(7, WireVersion.Of(["rack-1", "freeflow-wire-7", "dc-north"]));

    [Theory]
    [InlineData("freeflow-wire-")]
    [InlineData("freeflow-wire--1")]
    [InlineData("freeflow-wire-2.0")]
    [InlineData("freeflow-wire-99999999999")]
    [InlineData("freeflow-wire-2", "freeflow-wire-3")]
    public void WhatIsUnclearIsNoVersion(params string[] roles) => Assert.Null(WireVersion.Of(roles));
}
