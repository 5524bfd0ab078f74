using System.Security.Cryptography;

namespace Freeflow.Actors;

/// <summary>
/// Numbers that are unique in the router. Keys can't be guessed, and QPNs start anywhere and come back late, so that a
/// late message finds nobody.
/// </summary>
public sealed class NumberAllocator
{
    private const uint FirstQpn = 16;
    private const uint QpnMask = 0xffffff; // 24 bits, as the upper part of a key

    private readonly Lock _gate = new();
    private readonly HashSet<uint> _qpns = [];
    private readonly HashSet<uint> _keys = [];
    private uint _nextQpn = (uint)RandomNumberGenerator.GetInt32(0, (int)QpnMask);
    private uint _nextDomain;

    public uint TakeQpn()
    {
        lock (_gate)
        {
            do
                _nextQpn = (_nextQpn + 1) & QpnMask;
            while (_nextQpn < FirstQpn || !_qpns.Add(_nextQpn));
            return _nextQpn;
        }
    }

    public void ReturnQpn(uint qpn)
    {
        lock (_gate)
            _qpns.Remove(qpn);
    }

    /// <summary>
    /// A key that is neither 0 nor all ones, for lkey and rkey alike, as the rxe driver has it: nobody else has one with the
    /// same upper 24 bits, since a memory window goes through all the lower eight.
    /// </summary>
    public uint TakeKey()
    {
        lock (_gate)
        {
            uint own;
            do
                own = (uint)RandomNumberGenerator.GetInt32(1, (int)QpnMask);
            while (!_keys.Add(own));
            return own << 8 | (uint)RandomNumberGenerator.GetInt32(0, 256);
        }
    }

    /// <summary>Takes back a key, or one of a window that was made from it.</summary>
    public void ReturnKey(uint key)
    {
        lock (_gate)
            _keys.Remove(key >> 8);
    }

    public uint TakeDomain() => Interlocked.Increment(ref _nextDomain);
}
