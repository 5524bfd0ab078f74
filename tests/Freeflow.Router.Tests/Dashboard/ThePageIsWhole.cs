using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Freeflow.Router.Tests.Dashboard;

/// <summary>The page's files: all there, none that leads elsewhere.</summary>
public sealed partial class ThePageIsWhole : IAsyncLifetime
{
    private const string Vendor = "vendor/";

    private ModelDashboard _dashboard = null!;

    public async Task InitializeAsync() => _dashboard = await ModelDashboard.StartAsync();

    public async Task DisposeAsync() => await _dashboard.DisposeAsync();

    [Fact]
    public async Task WhatItNamesIsThere()
    {
        var seen = new HashSet<string>();
        var open = new Queue<string>(["/"]);
        while (open.TryDequeue(out var path))
        {
            if (!seen.Add(path))
                continue;
            var answer = await _dashboard.Client.GetAsync(path);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {answer.StatusCode}");
            var text = await answer.Content.ReadAsStringAsync();
            foreach (Match named in Named().Matches(text))
                open.Enqueue(new Uri(new Uri(_dashboard.Client.BaseAddress!, path), named.Groups.Values.Skip(1).Single(group => group.Success).Value).AbsolutePath);
        }

        // And nothing is there that the page does not use.
        Assert.Equal(Files().Select(file => "/page/" + file).Except(["/page/index.html", "/page/vendor/uplot/LICENSE"]).Order(), seen.Except(["/"]).Order());
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/page/app.js", "text/javascript")]
    [InlineData("/page/base.css", "text/css")]
    [InlineData("/page/icon.svg", "image/svg+xml")]
    public async Task FilesHaveTheirTypesAndAreAskedForOnce(string path, string type)
    {
        var first = await _dashboard.Client.GetAsync(path);
        Assert.Equal(type, first.Content.Headers.ContentType!.MediaType);
        using var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await _dashboard.Client.SendAsync(again)).StatusCode);
    }

    [Theory]
    [InlineData("/page/../../etc/passwd")]
    [InlineData("/page/..%2f..%2fetc%2fpasswd")]
    [InlineData("/page/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/page/....//....//etc/passwd")]
    [InlineData("/page//etc/passwd")]
    [InlineData("/page/..\\..\\etc\\passwd")]
    [InlineData("/page/views/../../DashboardGate.cs")]
    [InlineData("/page/app.js/")]
    [InlineData("/page/APP.JS")]
    [InlineData("/page/app.js%00.html")]
    [InlineData("/page/")]
    [InlineData("/index.html")]
    public async Task NoPathLeadsOut(string path)
    {
        // By hand, since a client's library would tidy the path up.
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _dashboard.Client.BaseAddress!.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        Assert.Matches("^HTTP/1.1 40[04] ", await reader.ReadToEndAsync());
    }

    [Fact]
    public void NothingOfItComesFromElsewhere()
    {
        foreach (var file in Files().Where(file => !file.StartsWith(Vendor, StringComparison.Ordinal)))
        {
            var text = Read(file).Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            Assert.False(Elsewhere().IsMatch(text), file);
            Assert.False(Markup().IsMatch(text), $"{file} makes markup of text");
        }

        Assert.False(Inline().IsMatch(Read("index.html")), "index.html has script or style of its own, which the policy does not allow");
    }

    /// <summary>The charts' library is as its authors have published it (npm, uplot 1.6.32, dist/).</summary>
    [Theory]
    [InlineData("uPlot.esm.js", "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba")]
    [InlineData("uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04")]
    [InlineData("LICENSE", "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd")]
    public void TheChartsAreUPlotUnchanged(string file, string digest) =>
        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(Bytes(Vendor + "uplot/" + file))));

    private static IEnumerable<string> Files() => typeof(Freeflow.Router.Dashboard.DashboardGate).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("page/", StringComparison.Ordinal)).Select(name => name["page/".Length..]);

    private static string Read(string file) => Encoding.UTF8.GetString(Bytes(file));

    private static byte[] Bytes(string file)
    {
        using var stream = typeof(Freeflow.Router.Dashboard.DashboardGate).Assembly.GetManifestResourceStream("page/" + file)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    [GeneratedRegex("""(?:href|src)="([^"#]+)"|^import [^'\n]*'([^']+)'|url\(([^)]+)\)""", RegexOptions.Multiline)]
    private static partial Regex Named();

    [GeneratedRegex("https?://|[\"'(]//")]
    private static partial Regex Elsewhere();

    [GeneratedRegex(@"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc")]
    private static partial Regex Markup();

    [GeneratedRegex(@"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)")]
    private static partial Regex Inline();
}
