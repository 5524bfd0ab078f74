using Freeflow.Actors.Policy;
using Freeflow.Router.Policy;

namespace Freeflow.Router.Tests.Policy;

/// <summary>A wrong file is refused whole, with the place and what to do.</summary>
public sealed class WrongPoliciesAreRefused
{
    [Theory]
    [InlineData("tenants { red { adresses = [] } }", 1, 17, "no key \"adresses\"", "addresses")]
    [InlineData("limits { }", 1, 1, "no key \"limits\"", "container-limits")]
    [InlineData("allow = [\n  { from = any, to = any, port = 80 }\n]", 2, 27, "no key \"port\"", "ports")]
    [InlineData("tenants = red", 1, 11, "tenants is a text", "{ NAME { … } }")]
    [InlineData("tenants { red = [] }", 1, 17, "tenant red is a list", "addresses")]
    [InlineData("tenants { red { addresses { } } }", 1, 27, "addresses is an object", "expected a list")]
    [InlineData("allow { from = any }", 1, 7, "allow is an object", "[ … ]")]
    [InlineData("tenants { a { addresses = [\"10.1.0.0/16\"] }\n b { addresses = [\"10.1.2.0/24\"] } }", 2, 19, "overlaps with 10.1.0.0/16 of tenant a on line 1", "one tenant")]
    [InlineData("tenants { a { addresses = [\"10.1.0.0/16\", \"10.1.0.9\"] } }", 1, 43, "10.1.0.9 overlaps with 10.1.0.0/16", "one tenant")]
    [InlineData("tenants { a { }\n a { } }", 2, 2, "a is given twice (first on line 1)", "one place")]
    [InlineData("tenants { a { addresses = [\"10.1.2.3/16\"] } }", 1, 28, "within the network", "write 10.1.0.0/16")]
    [InlineData("tenants { a { addresses = [\"10.1\"] } }", 1, 28, "\"10.1\" is no address", "10.244.1.0/24")]
    [InlineData("tenants { a { addresses = [\"10.1.0.0/33\"] } }", 1, 28, "no prefix length", "0 to 32")]
    [InlineData("tenants { a { addresses = [10.1.0.0/16, [ ]] } }", 1, 41, "a list in it", "texts")]
    [InlineData("tenants { default { addresses = [\"10.1.0.0/16\"] } }", 1, 34, "tenant default has no addresses", "")]
    [InlineData("tenants { any { } }", 1, 11, "stands for everybody", "another name")]
    [InlineData("tenants { \"a/b\" { } }", 1, 11, "no tenant's name", "letters")]
    [InlineData("tenants { a { allow-within = maybe } }", 1, 30, "\"maybe\"", "true or false")]
    [InlineData("allow = [ { from = green, to = any } ]", 1, 20, "no tenant \"green\"", "an address or a network")]
    [InlineData("allow = [ { from = any } ]", 1, 11, "needs to", "a tenant")]
    [InlineData("allow = [ { from = [ ], to = any } ]", 1, 20, "from is empty", "nobody")]
    [InlineData("allow = [ { from = any, to = any, mode = udp } ]", 1, 42, "mode \"udp\"", "rdma, tcp or both")]
    [InlineData("allow = [ { from = any, to = any, ports = 0 } ]", 1, 43, "\"0\" is no port", "8000-8100")]
    [InlineData("allow = [ { from = any, to = any, ports = [80, 90-80] } ]", 1, 48, "\"90-80\" is no port", "8000-8100")]
    [InlineData("container-limits { bandwidth = 10 }", 1, 32, "bandwidth = \"10\"", "10Gbit")]
    [InlineData("container-limits { bandwidth = 10GB }", 1, 32, "bandwidth = \"10GB\"", "10Gbit")]
    [InlineData("container-limits { bandwidth = 1kbit }", 1, 32, "bandwidth = \"1kbit\"", "at least 64kbit")]
    [InlineData("container-limits { registered-bytes = much }", 1, 39, "registered-bytes = \"much\"", "512m")]
    [InlineData("container-limits { queue-pairs = -1 }", 1, 34, "queue-pairs = \"-1\"", "from 0")]
    [InlineData("container-limits { messages-per-second = 0 }", 1, 42, "messages-per-second = \"0\"", "from 1")]
    [InlineData("container-limits { connections = 1.5 }", 1, 34, "connections = \"1.5\"", "whole number")]
    [InlineData("containers = [ { limits { } } ]", 1, 16, "needs addresses", "")]
    [InlineData("tenants { a { labels = [ ] } }", 1, 24, "labels is empty", "everybody")]
    [InlineData("tenants { a { labels = [\"namespace\"] } }", 1, 25, "\"namespace\" is no label", "KEY=VALUE")]
    [InlineData("tenants { a { labels = [\"=a\"] } }", 1, 25, "\"=a\" is no label", "KEY=VALUE")]
    [InlineData("tenants { a { labels = [\"a=b c\"] } }", 1, 25, "\"a=b c\" is no label", "without spaces")]
    [InlineData("tenants { a { labels { } } }", 1, 22, "labels is an object", "a list")]
    [InlineData("tenants { default { labels = \"a=b\" } }", 1, 30, "tenant default has no labels", "in no other's")]
    public void ForWhatTheySay(string text, int line, int column, string problem, string advice) => MustRefuse(text, line, column, problem, advice);

    [Theory]
    [InlineData("tenants {\n a { ", 2, 4, "{ is not closed", "}")]
    [InlineData("tenants { a { addresses = [\"10.1.0.0/16\"", 1, 27, "[ is not closed", "]")]
    [InlineData("tenants { }\n}", 2, 1, "'}' closes nothing", "")]
    [InlineData("tenants { a { addresses = [\"10.1.0.0/16] } }", 1, 28, "quote is not closed", "")]
    [InlineData("tenants { a }", 1, 13, "a has no value", "{ … }")]
    [InlineData("include \"other.conf\"", 1, 8, "include is not taken", "one file")]
    [InlineData("container-limits { bandwidth = ${RATE} }", 1, 32, "substitutions", "write the value")]
    [InlineData("allow += { from = any, to = any }", 1, 7, "+= is not taken", "one place")]
    [InlineData("container-limits { bandwidth = 1Gbit }\ncontainer-limits { bandwidth = 2Gbit }", 2, 1, "container-limits is given twice", "one place")]
    [InlineData("container-limits = 5\ncontainer-limits.bandwidth = 2Gbit", 2, 1, "container-limits is a text on line 1", "below it")]
    [InlineData("tenants { } allow = [ ]", 1, 13, "a comma or a new line is missing", "")]
    [InlineData("= 5", 1, 1, "a key is expected", "")]
    [InlineData("a =", 1, 4, "a value is expected", "")]
    [InlineData("a = \"\\q\"", 1, 7, "is no escape", "")]
    [InlineData("a=[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 1, 18, "nested deeper", "16")]
    [InlineData("{ tenants { } } ]", 1, 17, "nothing can be behind the policy", "']'")]
    [InlineData("tenants { } ]", 1, 13, "a comma or a new line is missing", "")]
    [InlineData("tenants { }\n ]", 2, 2, "']' closes nothing", "")]
    [InlineData("\0", 1, 1, "a key is expected", "")]
    public void ForWhatIsNoHocon(string text, int line, int column, string problem, string advice) => MustRefuse(text, line, column, problem, advice);

    [Fact]
    public void ForLabelsThatNobodySaysWhoHas()
    {
        var wrong = Assert.Throws<PolicyException>(() => PolicyReader.Read("tenants { a { labels = \"namespace=a\" } }"));
        Assert.Equal("line 1, column 24: nobody says who has which labels: there is no file of them (freeflow.policy.labels)", wrong.Message);
    }

    [Fact]
    public void WithoutEscapesInWhatIsSaidOfThem()
    {
        var wrong = Assert.Throws<PolicyException>(() => PolicyReader.Read("tenants { \"a\u001b[2J\" { } }"));
        Assert.DoesNotContain('\u001b', wrong.Message);
        wrong = Assert.Throws<PolicyException>(() => PolicyReader.Read("allow = [ { from = \"x\u001b[2J\", to = any } ]"));
        Assert.DoesNotContain('\u001b', wrong.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void InBoundedTimeWhateverTheyAre(int seed)
    {
        var random = new Random(seed);
        string[] pieces = ["{", "}", "[", "]", "\"", "=", ":", ",", ".", "\n", " ", "#", "//", "tenants", "allow", "addresses", "from", "10.1.0.0/16", "\\", "$", "+=", "é", "\u0001"];
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 24)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                PolicyReader.Read(text);
            }
            catch (PolicyException)
            {
            }
        }
    }

    private static void MustRefuse(string text, int line, int column, string problem, string advice)
    {
        var wrong = Assert.Throws<PolicyException>(() => PolicyReader.Read(text, LabelFile.Read("10.244.1.1 namespace=a")));
        Assert.Contains(problem, wrong.Message);
        Assert.Contains(advice, wrong.Message);
        Assert.DoesNotContain('\n', wrong.Message);
        Assert.Equal((line, column), (wrong.Line, wrong.Column));
    }
}
