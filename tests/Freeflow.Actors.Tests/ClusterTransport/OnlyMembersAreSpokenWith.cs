using System.Net;
using System.Net.Sockets;
using Freeflow.Actors.ClusterTransport;

namespace Freeflow.Actors.Tests.ClusterTransport;

[Trait("Tier", "All")]
public sealed class OnlyMembersAreSpokenWith : IDisposable
{
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("freeflow-certificates");
    private readonly TestAuthority _authority;
    private readonly TransportNode _member;

    public OnlyMembersAreSpokenWith()
    {
        _authority = new TestAuthority(_directory.FullName, "ours");
        _member = new TransportNode(With(_authority, _authority.Issue("member", addresses: ["127.0.0.1"])));
    }

    public void Dispose()
    {
        _member.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task BothWaysAndLargeMessages()
    {
        using var other = new TransportNode(With(_authority, _authority.Issue("other")));
        await other.MustReachAsync(_member);
        await _member.MustReachAsync(other);
        var large = new string('x', 100_000);
        Assert.Equal(large, await other.AskAsync(_member, large, TransportNode.Bound));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 500).Select(number => other.AskAsync(_member, $"{number}", TransportNode.Bound))), Assert.NotNull);
    }

    [Theory]
    [InlineData(-30, -1, null, null, "has expired on")]
    [InlineData(1, 30, null, null, "is not valid before")]
    [InlineData(-1, 30, "10.9.8.7", null, "is for 10.9.8.7 and not for 127.0.0.1")]
    [InlineData(-1, 30, null, TestAuthority.Server, "is not for clients (clientAuth)")]
    [InlineData(-1, 30, null, "1.3.6.1.5.5.7.3.4", "is not for clients (clientAuth)")]
    public async Task WhoseCertificateIsNotGoodIsRefused(double from, double to, string? address, string? use, string reason)
    {
        var shown = _authority.Issue("stranger", from, to, address is null ? null : [address], use is null ? null : [use]);
        using var stranger = new TransportNode(With(_authority, shown));
        await MustBeRefused(stranger, "its certificate (CN=stranger) " + reason);
    }

    [Fact]
    public async Task WhoseCertificateIsOfAnotherAuthorityIsRefusedAndRefuses()
    {
        var foreign = new TestAuthority(_directory.FullName, "theirs");
        using var stranger = new TransportNode(With(foreign, foreign.Issue("stranger")));
        // The one that calls looks first.
        await MustNotReach(stranger, _member, stranger, "its certificate (CN=member) is by CN=ours, which is no CA of freeflow.tls.ca");
        await MustNotReach(_member, stranger, _member, "its certificate (CN=stranger) is by CN=theirs, which is no CA of freeflow.tls.ca");
    }

    [Fact]
    public async Task WhoTrustsUsButIsOfAnotherAuthorityIsRefused()
    {
        var foreign = new TestAuthority(_directory.FullName, "theirs");
        var both = Path.Combine(_directory.FullName, "both.pem");
        await File.WriteAllTextAsync(both, await File.ReadAllTextAsync(_authority.File) + await File.ReadAllTextAsync(foreign.File));
        var (certificate, key) = foreign.Issue("\u001b[31mstranger");
        using var stranger = new TransportNode(new TransportSetup(new ClusterCertificates(new CertificateFiles(both, certificate, key), TimeProvider.System), null));
        await MustBeRefused(stranger, "is by CN=theirs, which is no CA of freeflow.tls.ca");
        Assert.DoesNotContain('\u001b', _member.Log);
    }

    [Fact]
    public async Task WhoIsCalledMustBeForServers()
    {
        using var client = new TransportNode(With(_authority, _authority.Issue("client only", uses: [TestAuthority.Client])));
        await MustNotReach(_member, client, _member, "its certificate (CN=client only) is not for servers (serverAuth)");
    }

    [Fact]
    public async Task PlainIsNotTakenForTls()
    {
        using var plain = new TransportNode(new TransportSetup(null, null));
        await MustBeRefused(plain, "it does not speak TLS");
        await MustNotReach(_member, plain, plain, "it speaks TLS, and this router has no certificates");
    }

    [Fact]
    public async Task WhoShowsNothingIsRefused()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _member.Address.Port!.Value);
        await using var stream = new System.Net.Security.SslStream(socket.GetStream(), false, (_, _, _, _) => true);
        await stream.AuthenticateAsClientAsync("member");
        await _member.AwaitLogAsync("it has shown no certificate");
    }

    [Fact]
    public async Task GarbageAndSilenceHarmNobody()
    {
        foreach (var bytes in (byte[][])[[], [0], [0x16], [0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5], [.. Enumerable.Repeat((byte)0xff, 4000)]])
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, _member.Address.Port!.Value);
            await socket.GetStream().WriteAsync(bytes);
        }

        // From one address so many may be on their way at once; then others of it have to wait, and are told.
        var silent = Enumerable.Range(0, 40).Select(_ => new TcpClient("127.0.0.1", _member.Address.Port!.Value)).ToList();
        await _member.AwaitLogAsync("too many connections are on their way");
        silent.ForEach(client => client.Dispose());
        using var other = new TransportNode(With(_authority, _authority.Issue("other")));
        await other.MustReachAsync(_member);
    }

    [Theory]
    [InlineData("127.0.0.0/24", true)]
    [InlineData("192.168.50.0/24", false)]
    public async Task WithoutCertificatesTheNetworkDecides(string network, bool isTaken)
    {
        using var open = new TransportNode(new TransportSetup(null, IPNetwork.Parse(network)));
        using var other = new TransportNode(new TransportSetup(null, null));
        if (isTaken)
            await other.MustReachAsync(open);
        else
            await MustNotReach(other, open, open, $"it is not in {network}");
    }

    [Fact]
    public async Task WhatIsNoMessageEndsThatConnectionOnly()
    {
        using var open = new TransportNode(new TransportSetup(null, null));
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, open.Address.Port!.Value);
        await socket.GetStream().WriteAsync(new byte[] { 0xff, 0xff, 0xff, 0x7f, 1 });
        await open.AwaitLogAsync("it sends what is no message (2147483647 bytes)");
        using var other = new TransportNode(new TransportSetup(null, null));
        await other.MustReachAsync(open);
    }

    [Fact]
    public void APortThatIsTakenIsSaid()
    {
        var port = _member.Address.Port!.Value;
        var error = Assert.ThrowsAny<Exception>(() => new TransportNode(new TransportSetup(null, null), port: port));
        Assert.Contains($"the cluster's port 127.0.0.1:{port}", error.ToString());
    }

    private static TransportSetup With(TestAuthority authority, (string Certificate, string Key) shown) =>
        new(new ClusterCertificates(new CertificateFiles(authority.File, shown.Certificate, shown.Key), TimeProvider.System), null);

    private Task MustBeRefused(TransportNode stranger, string reason) => MustNotReach(stranger, _member, _member, reason);

    private static async Task MustNotReach(TransportNode from, TransportNode to, TransportNode told, string reason)
    {
        var heard = to.Heard;
        var asked = from.AskAsync(to, "hello", TimeSpan.FromSeconds(2));
        await told.AwaitLogAsync(reason);
        Assert.Null(await asked);
        Assert.Equal(heard, to.Heard);
    }
}
