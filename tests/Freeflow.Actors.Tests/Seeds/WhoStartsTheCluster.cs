using System.Net;
using Freeflow.Actors.Seeds;

namespace Freeflow.Actors.Tests.Seeds;

public sealed class WhoStartsTheCluster
{
    private static readonly TimeSpan s_formAfter = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(SeedMethod.List)]
    [InlineData(SeedMethod.Dns)]
    [InlineData(SeedMethod.Tables)]
    public void WhoIsAloneAmongItsSeedsAfterAWhile(string method)
    {
        var gathering = Of(1, method, 1, 2);
        Assert.IsType<JoinStep.Wait>(gathering.Next(Seconds(4.9)));
        Assert.IsType<JoinStep.Form>(gathering.Next(Seconds(5)));
    }

    [Fact]
    public void WhoIsItsOnlySeedAtOnce() => Assert.IsType<JoinStep.Form>(Of(1, SeedMethod.List, 1).Next(TimeSpan.Zero));

    /// <summary>Others may not be in DNS yet.</summary>
    [Fact]
    public void WhoIsTheOnlyOneInDnsAfterAWhile()
    {
        var gathering = Of(1, SeedMethod.Dns, 1);
        Assert.IsType<JoinStep.Wait>(gathering.Next(TimeSpan.Zero));
        Assert.IsType<JoinStep.Form>(gathering.Next(s_formAfter));
    }

    [Fact]
    public void TheLowestAtOnceWhereAllThatAreWrittenDownAreInNone()
    {
        var gathering = Of(1, SeedMethod.List, 1, 2, 3);
        gathering.Heard(At(2), 0, "", TimeSpan.Zero);
        Assert.IsType<JoinStep.Wait>(gathering.Next(TimeSpan.Zero));
        gathering.Heard(At(3), 0, "", TimeSpan.Zero);
        Assert.IsType<JoinStep.Form>(gathering.Next(TimeSpan.Zero));
    }

    [Theory]
    [InlineData(SeedMethod.List, false)]
    [InlineData(SeedMethod.File, false)]
    [InlineData(SeedMethod.Dns, true)]
    [InlineData(SeedMethod.Tables, true)]
    public void ALowerOneThatDoesNotAnswerIsWaitedForWhereItIsWrittenDown(string method, bool forms)
    {
        var gathering = Of(2, method, 1, 2, 3);
        Assert.Equal(forms, gathering.Next(Seconds(60)) is JoinStep.Form);
    }

    [Theory]
    [InlineData(SeedMethod.List)]
    [InlineData(SeedMethod.Tables)]
    public void ALowerOneThatAnswersIsWaitedFor(string method)
    {
        var gathering = Of(2, method, 1, 2);
        for (var second = 0; second < 60; second++)
        {
            gathering.Heard(At(1), 0, "", Seconds(second));
            Assert.IsType<JoinStep.Wait>(gathering.Next(Seconds(second)));
        }
    }

    [Fact]
    public void ALowerOneThatHasDiedIsNotWaitedForInTheTables()
    {
        var gathering = Of(2, SeedMethod.Tables, 1, 2);
        gathering.Heard(At(1), 0, "", TimeSpan.Zero);
        Assert.IsType<JoinStep.Wait>(gathering.Next(Seconds(3)));
        Assert.IsType<JoinStep.Wait>(gathering.Next(Seconds(5)));
        Assert.IsType<JoinStep.Form>(gathering.Next(Seconds(10)));
    }

    [Fact]
    public void HostsThatComeOneByOnePutItOffButNotForEver()
    {
        var gathering = Of(1, SeedMethod.Tables, Enumerable.Range(1, 40).ToArray());
        for (var second = 0; second < 20; second++)
        {
            gathering.Heard(At(2 + second), 0, "", Seconds(second));
            Assert.IsType<JoinStep.Wait>(gathering.Next(Seconds(second)));
        }

        gathering.Heard(At(30), 0, "", Seconds(20));
        Assert.IsType<JoinStep.Form>(gathering.Next(Seconds(20)));
    }

    [Theory]
    [InlineData(SeedMethod.List)]
    [InlineData(SeedMethod.Dns)]
    public void NobodyWhoIsNoSeed(string method) => Assert.IsType<JoinStep.Wait>(Of(9, method, 10, 11).Next(Seconds(600)));

    [Fact]
    public void NobodyWithoutSeeds() => Assert.IsType<JoinStep.Wait>(Of(1, "").Next(Seconds(600)));

    [Fact]
    public void AClusterThatThereIsComesFirst()
    {
        var gathering = Of(1, SeedMethod.Tables, 1, 2, 3, 4, 5);
        gathering.Heard(At(2), 0, "", TimeSpan.Zero);
        gathering.Heard(At(3), 1, "alone", TimeSpan.Zero);
        gathering.Heard(At(5), 2, "larger", TimeSpan.Zero);
        gathering.Heard(At(4), 2, "larger", TimeSpan.Zero);
        Assert.Equal([At(4), At(5)], Assert.IsType<JoinStep.Join>(gathering.Next(Seconds(1))).Members);
    }

    [Fact]
    public void OneThatHasNotBeenHeardOfForLongIsNone()
    {
        var gathering = Of(1, SeedMethod.List, 1, 2);
        gathering.Heard(At(2), 3, "it", TimeSpan.Zero);
        Assert.IsType<JoinStep.Form>(gathering.Next(Gathering.AnswerHolds + Seconds(6)));
        Assert.Equal([At(2)], gathering.Silent(Gathering.AnswerHolds + Seconds(6)));
    }

    [Fact]
    public void WhoWasNotAskedIsNotHeard()
    {
        var gathering = Of(1, SeedMethod.List, 1, 2);
        gathering.Heard(At(66), 1000, "of a stranger", TimeSpan.Zero);
        gathering.Heard(At(1), 1000, "of itself", TimeSpan.Zero);
        Assert.IsType<JoinStep.Wait>(gathering.Next(TimeSpan.Zero));
    }

    [Fact]
    public void SeedsThatChangeAreTheOnesThatCount()
    {
        var gathering = Of(2, SeedMethod.File, 1, 2);
        Assert.IsType<JoinStep.Wait>(gathering.Next(Seconds(100)));
        Assert.True(gathering.Found(new SeedsFound(SeedMethod.File, [At(2), At(3)]), Seconds(100)));
        Assert.False(gathering.Found(new SeedsFound(SeedMethod.File, [At(2), At(3)]), Seconds(101)));
        Assert.IsType<JoinStep.Wait>(gathering.Next(Seconds(104)));
        Assert.IsType<JoinStep.Form>(gathering.Next(Seconds(105)));
    }

    /// <summary>The only seed starts again, and its cluster lives on without it.</summary>
    [Fact]
    public void NobodyWhoseLastMembersAreInOne()
    {
        var gathering = Back(own: 1, lastMembers: [2, 3], seeds: [1]);
        Assert.Equal([At(2), At(3)], gathering.Others);
        Assert.IsType<JoinStep.Wait>(gathering.Next(TimeSpan.Zero));
        gathering.Heard(At(3), 2, "it", Seconds(4));
        Assert.Equal([At(3)], Assert.IsType<JoinStep.Join>(gathering.Next(Seconds(4))).Members);
    }

    [Fact]
    public void WhoseLastMembersDoNotAnswerAfterAWhile()
    {
        var gathering = Back(own: 1, lastMembers: [2], seeds: [1]);
        Assert.IsType<JoinStep.Wait>(gathering.Next(Seconds(4.9)));
        Assert.IsType<JoinStep.Form>(gathering.Next(Seconds(5)));
    }

    [Fact]
    public void WhoseLastMembersHaveLostItTooAtOnce()
    {
        var gathering = Back(own: 1, lastMembers: [2], seeds: [1]);
        gathering.Heard(At(2), 0, "", TimeSpan.Zero);
        Assert.IsType<JoinStep.Form>(gathering.Next(TimeSpan.Zero));
    }

    /// <summary>Its last members may be those of a cluster to which it belongs no more.</summary>
    [Fact]
    public void NoLastMemberForALowerSeed()
    {
        var gathering = Back(own: 2, lastMembers: [1], seeds: [2]);
        gathering.Heard(At(1), 0, "", TimeSpan.Zero);
        Assert.IsType<JoinStep.Form>(gathering.Next(TimeSpan.Zero));
        Assert.IsType<JoinStep.Wait>(Back(own: 2, lastMembers: [2], seeds: [1]).Next(Seconds(600)));
    }

    private static Gathering Of(int own, string method, params int[] seeds) => Of(own, method, [], seeds);

    private static Gathering Back(int own, int[] lastMembers, int[] seeds) => Of(own, SeedMethod.List, lastMembers, seeds);

    private static Gathering Of(int own, string method, int[] lastMembers, int[] seeds)
    {
        var gathering = new Gathering(At(own), s_formAfter, [.. lastMembers.Select(At)]);
        gathering.Found(new SeedsFound(method, [.. seeds.Select(At)]), TimeSpan.Zero);
        return gathering;
    }

    private static IPEndPoint At(int host) => new(IPAddress.Parse($"192.168.50.{host}"), 4480);

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
