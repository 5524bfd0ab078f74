using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Freeflow.Router.Tests.Dashboard;

public sealed class TheGateKeepsOthersOut : IAsyncLifetime
{
    private ModelDashboard _dashboard = null!;

    public async Task InitializeAsync() => _dashboard = await ModelDashboard.StartAsync(hosts: "router.example");

    public async Task DisposeAsync() => await _dashboard.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.1", 200)]
    [InlineData("127.0.0.1:9999", 200)]
    [InlineData("localhost", 200)]
    [InlineData("[::1]:4484", 200)]
    [InlineData("Router.Example:4484", 200)]
    [InlineData("evil.example", 403)]
    [InlineData("router.example.evil.example", 403)]
    [InlineData("127.0.0.1.evil.example", 403)]
    [InlineData("localhost.evil.example", 403)]
    public async Task NamesThatAreNotItsOwn(string host, int expected)
    {
        foreach (var path in (string[])["/", "/page/app.js", "/api/members", "/api/stream"])
            Assert.Equal(expected, (int)(await SendAsync(HttpMethod.Get, path, ("Host", host))).StatusCode);
    }

    [Theory]
    [InlineData("/api/members", "Origin", "https://evil.example", 403)]
    [InlineData("/api/members", "Origin", "null", 403)]
    [InlineData("/api/stream", "Origin", "http://localhost", 403)]
    [InlineData("/api/members", "Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("/api/members", "Sec-Fetch-Site", "same-site", 403)]
    [InlineData("/page/app.js", "Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("/", "Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("/api/members", "Sec-Fetch-Site", "same-origin", 200)]
    [InlineData("/api/members", "Sec-Fetch-Site", "none", 200)]
    public async Task OtherSitesPages(string path, string header, string value, int expected) =>
        Assert.Equal(expected, (int)(await SendAsync(HttpMethod.Get, path, (header, value))).StatusCode);

    [Fact]
    public async Task ALinkToThePageMayBeFollowed() => Assert.Equal(
        HttpStatusCode.OK,
        (await SendAsync(HttpMethod.Get, "/", ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))).StatusCode);

    [Fact]
    public async Task AFrameOfAnotherSiteGetsNothing() => Assert.Equal(
        HttpStatusCode.Forbidden,
        (await SendAsync(HttpMethod.Get, "/", ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe"))).StatusCode);

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Bearer a-token-of-the-test", 401)]
    [InlineData("Bearer a-token-of-the-tests!", 401)]
    [InlineData("Bearer", 401)]
    [InlineData("Basic YTpi", 401)]
    [InlineData("Bearer " + ModelDashboard.Token, 405)]
    [InlineData("bearer " + ModelDashboard.Token, 405)]
    public async Task WhatWouldChangeSomethingNeedsTheToken(string? authorization, int expected)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Patch])
        {
            var answer = authorization is null ? await SendAsync(method, "/api/members") : await SendAsync(method, "/api/members", ("Authorization", authorization));
            Assert.Equal(expected, (int)answer.StatusCode);
            Assert.Equal(expected == 401, answer.Headers.WwwAuthenticate.Contains(new AuthenticationHeaderValue("Bearer", "realm=\"freeflow\"")));
        }
    }

    [Fact]
    public async Task AWrongTokenIsRefusedThoughNoneWereNeeded() =>
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, "/api/members", ("Authorization", "Bearer wrong-wrong-wrong"))).StatusCode);

    [Fact]
    public async Task FromOtherHostsReadingNeedsTheTokenAndThePageDoesNot()
    {
        await using var open = await ModelDashboard.StartAsync(at: IPAddress.Any);
        Assert.Equal(HttpStatusCode.OK, (await open.Client.GetAsync("/")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await open.Client.GetAsync("/api/members")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await open.Client.GetAsync("/api/stream")).StatusCode);
        open.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ModelDashboard.Token);
        Assert.Equal(HttpStatusCode.OK, (await open.Client.GetAsync("/api/members")).StatusCode);
    }

    [Fact]
    public async Task WithoutATokenItServesItsOwnHostAlone()
    {
        await using var open = await ModelDashboard.StartAsync(hasToken: false, at: IPAddress.Any);
        var refused = await open.Client.GetAsync("/api/members");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("freeflow.admin.token-file", await refused.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api/members")]
    public async Task BodiesAreRefused(string path)
    {
        using var huge = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(new byte[64 << 20]) };
        huge.Headers.ExpectContinue = true;
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await _dashboard.Client.SendAsync(huge)).StatusCode);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StreamContent(new MemoryStream(Encoding.ASCII.GetBytes("chunk"))) };
        chunked.Headers.TransferEncodingChunked = true;
        chunked.Headers.ExpectContinue = true;
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await _dashboard.Client.SendAsync(chunked)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _dashboard.Client.GetAsync("/api/members")).StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/page/app.js")]
    [InlineData("/api/members")]
    [InlineData("/api/nothing")]
    public async Task EveryAnswerTellsTheBrowserWhatItMayDo(string path)
    {
        var headers = (await _dashboard.Client.GetAsync(path)).Headers;
        var policy = Assert.Single(headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain("unsafe", policy);
        Assert.Equal("nosniff", Assert.Single(headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("same-origin", Assert.Single(headers.GetValues("Cross-Origin-Resource-Policy")));
    }

    [Fact]
    public async Task WhatCanNotBeAnsweredIsSaid()
    {
        var refused = await _dashboard.Client.GetAsync("/api/explain?Source=10.0.0.1&Destination=10.0.0.2");
        Assert.Equal((HttpStatusCode.BadRequest, "{\"Error\":\"nobody has that address\"}"), (refused.StatusCode, await refused.Content.ReadAsStringAsync()));
        Assert.Equal("{\"Asked\":\"qps\",\"Arguments\":{\"Limit\":\"7\"}}", await _dashboard.Client.GetStringAsync("/api/qps?Limit=7&Other=1"));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await _dashboard.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
