using System.Diagnostics;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// What an unreliable QP knows of the receives at the QP that it keeps sending to, so that a receiver whose thread does not run for
/// a moment loses nothing. Numbers are those of <see cref="SendOperation.SendNumber"/>.
/// </summary>
internal struct ReceiveWindow
{
    /// <summary>So many messages in a row to one QP make it worth while, and harmless to others, to wait for it.</summary>
    private const int Settled = 64;

    private static readonly long s_askAgain = Stopwatch.Frequency / 1000;

    private Gid _address;
    private uint _qpn;
    private int _inARow;
    private bool _isNeglected;
    private bool _isKnown;
    private bool _isAsked;
    private uint _limit;
    private uint _granted;
    private uint _askedNumber;
    private long _askedAt;
    private long _waitsSince;

    /// <summary>
    /// Notes where the next message goes; false while it should not wait, since the next may go elsewhere. A QP with one peer is
    /// <paramref name="alwaysThere"/>.
    /// </summary>
    public bool IsSettledOn(in Gid address, uint qpn, bool alwaysThere)
    {
        if (qpn != _qpn || address != _address)
            this = new ReceiveWindow { _address = address, _qpn = qpn, _inARow = alwaysThere ? Settled : 0 };
        return _inARow >= Settled;
    }

    /// <summary>A message has gone there.</summary>
    public void Sent()
    {
        _waitsSince = 0;
        if (_inARow < Settled)
            _inARow++;
    }

    /// <summary>Whether a receive is known for this message.</summary>
    public readonly bool Covers(uint number) => _isKnown && (int)(number - _limit) < 0;

    /// <summary>Whether it is time to ask how many there are, so that the answer comes before they run out.</summary>
    public bool ShouldAsk(uint number, long now)
    {
        if (_isAsked || _isNeglected ? now - _askedAt < s_askAgain : _isKnown && _limit - number > _granted / 2 && (int)(_limit - number) > 0)
            return false;
        (_isAsked, _askedNumber, _askedAt) = (true, number, now);
        return true;
    }

    /// <summary>The peer had so many receives when it had seen all before the message that was asked about.</summary>
    public void Answered(uint qpn, uint number, uint receives)
    {
        if (!_isAsked || qpn != _qpn || number != _askedNumber)
            return;
        (_isAsked, _isKnown, _granted, _limit) = (false, true, receives, number + receives);
        _isNeglected &= receives == 0;
    }

    /// <summary>The peer has a receive.</summary>
    public void Found() => _isNeglected = false;

    /// <summary>Whether a message may go on waiting. After one that waited in vain none does until the peer has posted again.</summary>
    public bool MayWait(long now, long bound)
    {
        if (_waitsSince == 0)
            _waitsSince = now;
        _isNeglected |= now - _waitsSince >= bound;
        return !_isNeglected;
    }
}
