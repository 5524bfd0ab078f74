using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Lab;

/// <summary>A lab that stands is kept only when it was built with the same options, which it has as JSON.</summary>
public sealed class LabOptionsCompareByValue
{
    private static readonly LabOptions s_options = new() { Hosts = 3, Settings = ["freeflow.log-level=debug", "freeflow.link.port=4490"], Roots = ["h2=/two", "/all"] };

    [Fact]
    public void OptionsWithTheSameSettingsAreEqual() =>
        Assert.Equal(s_options, s_options with { Settings = [.. s_options.Settings], Roots = [.. s_options.Roots] });

    [Fact]
    public void OptionsWithOtherSettingsAreNot() =>
        Assert.NotEqual(s_options, s_options with { Settings = ["freeflow.log-level=debug"] });

    [Fact]
    public void OptionsWithOtherRootsAreNot() =>
        Assert.NotEqual(s_options, s_options with { Roots = ["/all"] });

    [Fact]
    public void OptionsThatWereWrittenAndReadAreEqual() =>
        Assert.Equal(s_options, JsonSerializer.Deserialize<LabOptions>(JsonSerializer.Serialize(s_options)));

    [Fact]
    public void OptionsOfALabWithoutSettingsHaveNone() =>
        Assert.Equal(new LabOptions(), JsonSerializer.Deserialize<LabOptions>("""{"Hosts":2,"Containers":2}"""));
}
