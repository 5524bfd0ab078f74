using Freeflow.Router.Configuration;

namespace Freeflow.Router.Tests.Configuration;

public sealed class TheTokensFileIsChecked : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void OneTokenInAFileOfItsOwnersIsTaken()
    {
        Write("  0123456789abcdef\n", Private);
        var token = Read()!.Token!;
        Assert.True(token.IsShownBy("Bearer 0123456789abcdef"));
        Assert.False(token.IsShownBy("Bearer 0123456789abcdeF"));
        Assert.False(token.IsShownBy("0123456789abcdef"));
        Assert.False(token.IsShownBy(""));
    }

    [Theory]
    [InlineData("", "at least 16")]
    [InlineData("short", "at least 16")]
    [InlineData("two words that are long", "at least 16")]
    [InlineData("0123456789abcdef\u001b[31m", "at least 16")]
    public void WhatIsNoTokenIsRefused(string text, string expected)
    {
        Write(text, Private);
        Assert.Contains(expected, Assert.Throws<ConfigurationException>(Read).Message);
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void AFileThatOthersMayReadIsRefused(UnixFileMode more)
    {
        Write("0123456789abcdef", Private | more);
        Assert.Contains("chmod 600", Assert.Throws<ConfigurationException>(Read).Message);
    }

    [Fact]
    public void AFileThatIsNotThereIsRefused()
    {
        File.Delete(_file);
        Assert.Contains("freeflow.admin.token-file", Assert.Throws<ConfigurationException>(Read).Message);
    }

    [Theory]
    [InlineData("admin.hosts=http://router", "freeflow.admin.hosts")]
    [InlineData("admin.hosts=router:4484", "freeflow.admin.hosts")]
    [InlineData("admin.address=router", "freeflow.admin.address")]
    [InlineData("admin.port=65536", "freeflow.admin.port")]
    public void SoAreOtherSettingsThatAreWrong(string setting, string expected) =>
        Assert.Contains(expected, Assert.Throws<ConfigurationException>(() => Read("freeflow." + setting)).Message);

    [Fact]
    public void ByDefaultThereIsNone() => Assert.Null(Read("freeflow.admin.hosts=router.example")!.Token);

    private void Write(string text, UnixFileMode mode)
    {
        File.WriteAllText(_file, text);
        File.SetUnixFileMode(_file, mode);
    }

    private AdminOptions? Read() => Read("freeflow.admin.token-file=" + _file);

    private static AdminOptions? Read(params string[] settings) =>
        RouterOptionsReader.Read(ConfigurationLoader.Load(null, ["freeflow.host.ip=127.0.0.1", "freeflow.cluster.seeds=127.0.0.1", .. settings], _ => null)).Admin;
}
