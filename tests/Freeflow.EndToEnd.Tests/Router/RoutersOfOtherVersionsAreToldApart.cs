using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.Security;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Router;

/// <summary>A real router that says that it speaks another version joins the cluster: all say why nothing is said to it, and go on.</summary>
[Trait("Tier", "All")]
public sealed class RoutersOfOtherVersionsAreToldApart(LabFixture lab) : IClassFixture<LabFixture>
{
    /// <summary>A router is there after a few seconds, and a member some later.</summary>
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(120);

    [Theory]
    [InlineData("192.168.50.81", 1)]
    [InlineData("192.168.50.82", 3)]
    public void AnOlderOrNewerOneIsAMemberThatNothingIsSaidTo(string address, int version)
    {
        var logged = lab.RouterLog("h1").Length;
        using (var other = new StrangersRouter(lab, address, [], $"wire-version={version}"))
        {
            AwaitMembers(3, other);
            var reason = $"it speaks version {version} of the routers' protocol, and this router version 2";
            Await($"h1's members naming the reason", () => RowOf("h1", address).Split("refused: " + reason).Length == 3, () => Members("h1"));
            Assert.Contains($"@{address}:4480#", LogOf(logged));
            Assert.Contains($"is a member, and nothing is said to it: {reason}", LogOf(logged));
            Assert.Contains("member-foreign", lab.Hosts.Exec("h1", TimeSpan.FromSeconds(30), "freeflow", "events").Output);
            Await("the other one saying the same of both", () => Rows(other.Ask("members"), "192.168.50.").Count(row =>
                row.Contains($"refused: it speaks version 2 of the routers' protocol, and this router version {version}", StringComparison.Ordinal)) == 2, () => other.Ask("members"));
            new ProgramPair(lab, Placement.AcrossHosts).Run(TimeSpan.FromSeconds(60), "ibv_rc_pingpong");
        }

        AwaitMembers(2, null);
        Assert.DoesNotContain($"link to akka.tcp://freeflow@{address}", LogOf(logged));
        new ProgramPair(lab, Placement.AcrossHosts).Run(TimeSpan.FromSeconds(60), "ibv_rc_pingpong");
    }

    [Fact]
    public void OneOfTheSameVersionIsLinked()
    {
        const string address = "192.168.50.83";
        using (var other = new StrangersRouter(lab, address))
        {
            AwaitMembers(3, other);
            Await("links between h1 and the third router", () => RowOf("h1", address).Split(' ', StringSplitOptions.RemoveEmptyEntries).Count(word => word == "up") == 2, () => Members("h1"));
        }

        AwaitMembers(2, null);
    }

    private string LogOf(int logged) => lab.RouterLog("h1")[logged..];

    private string Members(string host) => lab.Hosts.Exec(host, TimeSpan.FromSeconds(30), "freeflow", "members").Output;

    private string RowOf(string host, string address) => Rows(Members(host), address + ":").SingleOrDefault() ?? "";

    private static IEnumerable<string> Rows(string listing, string begin) => listing.Split('\n').Where(row => row.StartsWith(begin, StringComparison.Ordinal));

    private void AwaitMembers(int count, StrangersRouter? other) => Await(
        $"{count} members at h1", () => lab.Status("h1").GetProperty("Members").GetArrayLength() == count, () => $"{lab.Status("h1")}\n{other?.Says}");

    private static void Await(string what, Func<bool> holds, Func<string> found) => WaitFor.That(what, s_within, holds, found);
}
