using Freeflow.Actors.ClusterTransport;

namespace Freeflow.Actors.Tests.ClusterTransport;

public sealed class CertificatesAreReplaced : IDisposable
{
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("freeflow-certificates");
    private readonly TestAuthority _old;
    private readonly TestAuthority _new;
    private readonly CertificateFiles _files;

    public CertificatesAreReplaced()
    {
        _old = new TestAuthority(_directory.FullName, "old");
        _new = new TestAuthority(_directory.FullName, "new");
        _files = FilesOf("own");
        Put(_files, _old.Issue("first"), _old);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task NewConnectionsShowTheNewOneAndThoseOfAnOldAuthorityEnd()
    {
        var theirs = FilesOf("theirs");
        Put(theirs, _old.Issue("peer"), _old);
        using var here = new TransportNode(new TransportSetup(new ClusterCertificates(_files, TimeProvider.System), null));
        using (var there = new TransportNode(new TransportSetup(new ClusterCertificates(theirs, TimeProvider.System), null)))
        {
            await here.MustReachAsync(there);
            Put(_files, _old.Issue("first"), _old, _new);
            Put(theirs, _old.Issue("peer"), _old, _new);
            await there.MustReachAsync(here);
        }

        // The peer comes again with the new CA's certificate only.
        Put(theirs, _new.Issue("peer"), _old, _new);
        var certificates = new ClusterCertificates(theirs, TimeProvider.System);
        using var again = new TransportNode(new TransportSetup(certificates, null));
        await again.MustReachAsync(here);
        await here.MustReachAsync(again);

        // It trusts the old CA no longer: the connections end, and there are none until this end has a new certificate, too.
        Put(theirs, _new.Issue("peer"), _new);
        certificates.Refresh();
        await again.AwaitLogAsync("is by CN=old, which is no CA of freeflow.tls.ca");
        Put(_files, _new.Issue("second"), _new);
        await again.MustReachAsync(here);
        await here.MustReachAsync(again);
    }

    [Fact]
    public void WhatCantBeUsedIsToldOnceAndTheOldOnesStay()
    {
        using var certificates = new ClusterCertificates(_files, TimeProvider.System);
        var (replaced, wrong) = (new List<string>(), new List<string>());
        certificates.Replaced += replaced.Add;
        certificates.Wrong += wrong.Add;
        File.WriteAllText(_files.Certificate, "-----BEGIN CERTIFICATE-----\nMIIB");
        certificates.Refresh();
        certificates.Refresh();
        Assert.Contains(_files.Certificate, Assert.Single(wrong));
        Assert.Contains("CN=first", certificates.Description);

        File.Delete(_files.Key);
        certificates.Refresh();
        certificates.Refresh();
        Assert.Equal(2, wrong.Count);
        Assert.Empty(replaced);

        Put(_files, _old.Issue("second"), _old);
        certificates.Refresh();
        certificates.Refresh();
        Assert.Contains("CN=second", Assert.Single(replaced));
    }

    [Fact]
    public void FilesThatDontGoTogetherAreNotTaken()
    {
        File.Copy(_old.Issue("another").Key, _files.Key, overwrite: true);
        Assert.Contains("is not the key of", Assert.Throws<InvalidDataException>(() => new ClusterCertificates(_files, TimeProvider.System)).Message);
        Put(_files, _old.Issue("first"), _new);
        Assert.Contains("is no CA of freeflow.tls.ca", Assert.Throws<InvalidDataException>(() => new ClusterCertificates(_files, TimeProvider.System)).Message);
        File.WriteAllText(_files.Authorities, "nothing");
        Assert.Contains("has no certificate", Assert.Throws<InvalidDataException>(() => new ClusterCertificates(_files, TimeProvider.System)).Message);
        File.Delete(_files.Authorities);
        Assert.Contains("can't be read", Assert.Throws<InvalidDataException>(() => new ClusterCertificates(_files, TimeProvider.System)).Message);
    }

    [Theory]
    [InlineData(-400, "is not valid before")]
    [InlineData(0, null)]
    [InlineData(20, "expires on")]
    [InlineData(60, "has expired on")]
    public void TheClockSaysWhatIsToldOfTheOwnOne(double days, string? said)
    {
        var clock = new ShiftedClock(TimeSpan.FromDays(days));
        using var certificates = new ClusterCertificates(_files, clock);
        var told = new List<string>();
        certificates.Wrong += told.Add;
        certificates.Watch();
        if (said is not null)
            Assert.Contains(said, Assert.Single(told));
        else
            Assert.Empty(told);
    }

    private CertificateFiles FilesOf(string name)
    {
        var stem = Path.Combine(_directory.FullName, name);
        return new CertificateFiles(stem + "-ca.pem", stem + ".pem", stem + "-key.pem");
    }

    private static void Put(CertificateFiles files, (string Certificate, string Key) issued, params TestAuthority[] trusted)
    {
        File.Copy(issued.Certificate, files.Certificate, overwrite: true);
        File.Copy(issued.Key, files.Key, overwrite: true);
        File.WriteAllText(files.Authorities, string.Concat(trusted.Select(authority => File.ReadAllText(authority.File))));
    }

    /// <summary>The time as another machine has it. Its timers go off for the first time before they are returned, and then never.</summary>
    private sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            callback(state);
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
