using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>
/// By which routers know each other. The files are read again when something else is in them, so that they can be replaced
/// while the router runs; what can't be used is told and the old ones stay in force.
/// </summary>
public sealed class ClusterCertificates : IDisposable
{
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_remindEvery = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_endsSoon = TimeSpan.FromDays(14);

    private readonly Lock _refreshing = new();
    private readonly CertificateFiles _files;
    private readonly TimeProvider _time;
    private string _contents;
    private volatile CertificateMaterial _material;
    private DateTimeOffset _remindAt = DateTimeOffset.MinValue;
    private ITimer? _timer;

    /// <summary>Reads the files. Throws <see cref="InvalidDataException"/> with one line that says what is wrong.</summary>
    public ClusterCertificates(CertificateFiles files, TimeProvider time)
    {
        (_files, _time) = (files, time);
        _contents = files.Contents();
        _material = files.Load();
    }

    /// <summary>They were read again; what the own one says.</summary>
    public event Action<string>? Replaced;

    /// <summary>They are not what they should be: why.</summary>
    public event Action<string>? Wrong;

    public string Description =>
        $"{CertificateJudge.NameOf(_material.Own)}, valid until {_material.Own.NotAfter.ToUniversalTime():u}, {_material.Authorities.Count} CA{(_material.Authorities.Count == 1 ? "" : "s")}";

    /// <summary>The beginning of the own certificate, UTC.</summary>
    public DateTime BeginsAt => _material.Own.NotBefore.ToUniversalTime();

    /// <summary>The end of the own certificate, UTC.</summary>
    public DateTime EndsAt => _material.Own.NotAfter.ToUniversalTime();

    internal CertificateMaterial Material => _material;

    /// <summary>From now on looks at the files now and then; else they are looked at with each new connection only.</summary>
    public void Watch() => _timer ??= _time.CreateTimer(_ => Look(), null, TimeSpan.Zero, s_lookEvery);

    public void Dispose() => _timer?.Dispose();

    /// <summary>Looks whether the files have changed, and takes what is in them now.</summary>
    public void Refresh()
    {
        lock (_refreshing)
        {
            var contents = Contents();
            if (contents == _contents)
                return;
            _contents = contents;
            try
            {
                _material = _files.Load();
            }
            catch (InvalidDataException problem)
            {
                // What is read in the middle of being written is told, too; the rest of it is another change.
                Wrong?.Invoke($"{problem.Message}; what was read before stays in force");
                return;
            }
        }

        Replaced?.Invoke(Description);
    }

    /// <summary>Null when a peer may be spoken with; else what is wrong, to follow "its certificate".</summary>
    internal string? WhyNot(X509Certificate2 certificate, X509Certificate2Collection intermediates, string purpose, IPAddress at) =>
        CertificateJudge.WhyNot(certificate, intermediates, _material.Authorities, _time.GetUtcNow(), purpose, at, ignoresTime: false);

    /// <summary>
    /// The same for a peer that is spoken with already: whether its CA is trusted still. That its certificate has ended meanwhile does not
    /// end the connection, or a forgotten renewal would take the cluster apart at one stroke.
    /// </summary>
    internal string? WhyNoLonger(X509Certificate2 certificate, X509Certificate2Collection intermediates) =>
        CertificateJudge.WhyNot(certificate, intermediates, _material.Authorities, _time.GetUtcNow(), null, null, ignoresTime: true);

    /// <summary>Or why there is none, which is as good to see a change by.</summary>
    private string Contents()
    {
        try
        {
            return _files.Contents();
        }
        catch (InvalidDataException problem)
        {
            return problem.Message;
        }
    }

    private void Look()
    {
        Refresh();
        var now = _time.GetUtcNow();
        var own = _material.Own;
        if (now < _remindAt || (now >= own.NotBefore && now <= own.NotAfter - s_endsSoon))
            return;
        _remindAt = now + s_remindEvery;
        var name = CertificateJudge.NameOf(own);
        Wrong?.Invoke(now < own.NotBefore ? $"the own certificate ({name}) is not valid before {own.NotBefore.ToUniversalTime():u}: is the clock right?"
            : now > own.NotAfter ? $"the own certificate ({name}) has expired on {EndsAt:u}: no new connections to other routers"
            : $"the own certificate ({name}) expires on {EndsAt:u}: put another in its place; the router need not be started again");
    }
}
