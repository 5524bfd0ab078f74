using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Freeflow.Lab;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Tests.Links;

public sealed class LinksAreEncrypted : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly LinkCredential _credential = new(RandomNumberGenerator.GetBytes(32));
    private readonly BlockingCollection<AuthenticatedLink> _accepted = [];
    private readonly ConcurrentQueue<string> _refused = new();
    private readonly Socket _here;
    private readonly Socket _there;

    public LinksAreEncrypted()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _here = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _here.Connect(listener.LocalEndPoint!);
        _there = listener.Accept();
    }

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task WhenOneOfTheTwoWishesIt(bool dialer, bool listener)
    {
        using var accepting = Accepting(listener);
        using var dialed = await DialAsync(accepting.Port, dialer);
        using var accepted = _accepted.Take();
        Assert.Equal(dialer || listener, dialed.IsEncrypted);
        Assert.Equal(dialer || listener, accepted.IsEncrypted);
    }

    [Theory]
    [InlineData(8)]  // the listener's wish
    [InlineData(9)]  // a byte of its challenge
    [InlineData(4)]  // its version
    public async Task WhoChangesTheHandshakeOnTheWayIsFoundOut(int position)
    {
        using var accepting = Accepting(encrypt: true);
        using var between = new Socket(SocketType.Stream, ProtocolType.Tcp);
        between.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        between.Listen();
        var dialing = DialAsync(((IPEndPoint)between.LocalEndPoint!).Port, encrypt: false);
        using var towardsDialer = await between.AcceptAsync();
        using var towardsListener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await towardsListener.ConnectAsync(IPAddress.Loopback, accepting.Port);
        var opening = new byte[8 + 1 + LinkHandshake.ChallengeBytes];
        for (var have = 0; have < opening.Length;)
            have += await towardsListener.ReceiveAsync(opening.AsMemory(have));
        opening[position] ^= 1;
        await towardsDialer.SendAsync(opening);
        _ = Task.Run(async () =>
        {
            var hello = new byte[1024];
            var got = await towardsDialer.ReceiveAsync(hello);
            if (got > 0)
                await towardsListener.SendAsync(hello.AsMemory(0, got));
            await towardsListener.ReceiveAsync(hello);
            towardsDialer.Dispose();
        });
        Assert.IsNotType<TimeoutException>(await Assert.ThrowsAnyAsync<Exception>(() => dialing.WaitAsync(WaitFor.Scaled(s_bound))));
        Assert.Empty(_accepted);
    }

    [Fact]
    public void WhatWasSaidOnAnotherLinkOpensNothing()
    {
        var (first, _) = Pair();
        using var second = LinkCipher.Of(_credential, LinkPurpose.Data, RandomNumberGenerator.GetBytes(64), dials: false);
        Send(first, [1, 2, 3]);
        Assert.Equal(-Errno.EBADMSG, Receive(second, new byte[LinkCipher.MaximumRecord]));
    }

    [Theory]
    [InlineData(LinkPurpose.Data, LinkPurpose.Handover)]
    [InlineData(LinkPurpose.Handover, LinkPurpose.Data)]
    public void NorDoesWhatWasSaidForAnotherPurpose(LinkPurpose said, LinkPurpose heard)
    {
        var challenges = RandomNumberGenerator.GetBytes(64);
        using var sender = LinkCipher.Of(_credential, said, challenges, dials: true);
        using var receiver = LinkCipher.Of(_credential, heard, challenges, dials: false);
        Send(sender, [1, 2, 3]);
        Assert.Equal(-Errno.EBADMSG, Receive(receiver, new byte[LinkCipher.MaximumRecord]));
    }

    [Theory]
    [InlineData("repeated")]
    [InlineData("left out")]
    [InlineData("swapped")]
    [InlineData("changed")]
    [InlineData("shortened")]
    [InlineData("sent back")]
    [InlineData("too long")]
    [InlineData("empty")]
    public void RecordsThatAreNotTheNextOnesDontOpen(string what)
    {
        var (sender, receiver) = Pair();
        var (one, two) = (Sealed(sender, [1, 2, 3, 4]), Sealed(sender, [5, 6, 7, 8]));
        var buffer = new byte[LinkCipher.MaximumRecord];
        byte[] sent = what switch
        {
            "repeated" => [.. one, .. one],
            "left out" => two,
            "swapped" => [.. two, .. one],
            "changed" => [.. one[..5], (byte)(one[5] ^ 1), .. one[6..]],
            "shortened" => [3, .. one[1..7], .. one[8..]],
            "too long" => [1, 128, 0, 0, .. new byte[40000]],
            "empty" => [0, 0, 0, 0, .. new byte[16]],
            _ => [],
        };
        if (what == "sent back")
        {
            _there.Send(one);
            Assert.Equal(-Errno.EBADMSG, sender.Receive(_here.SafeHandle, buffer));
            return;
        }

        _here.Send(sent);
        var got = Receive(receiver, buffer);
        if (what == "repeated")
        {
            Assert.Equal(4, got);
            got = Receive(receiver, buffer);
        }

        Assert.Equal(-Errno.EBADMSG, got);
    }

    [Fact]
    public void AllOfItComesInOrderHoweverItIsCutAndWhenKeysFollowEachOther()
    {
        var (dialer, listener) = (RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(32));
        using var sender = new LinkCipher(new RecordKey([.. dialer], 3), new RecordKey([.. listener], 3));
        using var receiver = new LinkCipher(new RecordKey([.. listener], 3), new RecordKey([.. dialer], 3));
        var random = new Random(7);
        var said = new byte[3_000_000];
        random.NextBytes(said);
        var heard = new List<byte>();
        var buffer = new byte[LinkCipher.MaximumRecord];
        var sent = 0;
        WaitFor.That("all of it", () =>
        {
            var taken = sender.Send(_here.SafeHandle, said.AsSpan(sent, Math.Min(random.Next(1, 200_000), said.Length - sent)));
            if (taken > 0)
                sent += taken;
            else if (taken < 0)
                Assert.Equal(-Errno.EAGAIN, taken);
            do
            {
                var got = receiver.Receive(_there.SafeHandle, buffer);
                if (got == -Errno.EAGAIN)
                    break;
                Assert.InRange(got, 1, LinkCipher.MaximumRecord);
                heard.AddRange(buffer.AsSpan(0, got));
            }
            while (receiver.HasRecord);
            return sent == said.Length && !sender.HasPending && heard.Count == said.Length;
        }, () => $"{sent} of {said.Length} bytes sent, {heard.Count} heard");

        Assert.True(said.AsSpan().SequenceEqual(heard.ToArray()));
    }

    [Fact]
    public void NothingIsAllocatedForARecord()
    {
        var (sender, receiver) = Pair();
        var (plain, buffer) = (new byte[1000], new byte[LinkCipher.MaximumRecord]);
        void Once()
        {
            sender.Send(_here.SafeHandle, plain);
            while (receiver.Receive(_there.SafeHandle, buffer) == -Errno.EAGAIN)
            {
            }
        }

        for (var warm = 0; warm < 200; warm++)
            Once();
        const int Records = 10_000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < Records; round++)
            Once();
        // The runtime's own, when it puts better code in a method's place, is a few thousand bytes once.
        Assert.Equal(0, (GC.GetAllocatedBytesForCurrentThread() - before) / Records);
    }

    private (LinkCipher Dialer, LinkCipher Listener) Pair()
    {
        var challenges = RandomNumberGenerator.GetBytes(64);
        return (LinkCipher.Of(_credential, LinkPurpose.Data, challenges, dials: true), LinkCipher.Of(_credential, LinkPurpose.Data, challenges, dials: false));
    }

    private void Send(LinkCipher cipher, byte[] bytes) => Assert.Equal(bytes.Length, cipher.Send(_here.SafeHandle, bytes));

    /// <summary>As it goes over the wire.</summary>
    private byte[] Sealed(LinkCipher cipher, byte[] bytes)
    {
        Send(cipher, bytes);
        var record = new byte[4 + bytes.Length + RecordKey.TagBytes];
        for (var have = 0; have < record.Length;)
            have += _there.Receive(record.AsSpan(have));
        Assert.False(record.AsSpan().IndexOf(bytes) >= 0);
        return record;
    }

    private int Receive(LinkCipher cipher, byte[] buffer)
    {
        var got = 0;
        WaitFor.That("a record", s_bound, () => (got = cipher.Receive(_there.SafeHandle, buffer)) != -Errno.EAGAIN);
        return got;
    }

    private LinkListener Accepting(bool encrypt) => new(
        new IPEndPoint(IPAddress.Loopback, 0), "here", _ => _credential, encrypt, (_, link) => _accepted.Add(link), _refused.Enqueue);

    private Task<AuthenticatedLink> DialAsync(int port, bool encrypt) => LinkDialer.DialAsync(
        IPAddress.Loopback, new IPEndPoint(IPAddress.Loopback, port), "there", "here", LinkPurpose.Data, _credential, encrypt, CancellationToken.None);
}
