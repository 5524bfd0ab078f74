using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// A place in a list of SGEs, as a message is read from it or written to it piece by piece. Keys are looked up again at
/// every step, since a region may be deregistered while a long message is under way.
/// </summary>
internal struct MemoryCursor
{
    private readonly ScatterGatherEntry[] _entries;
    private readonly uint _protectionDomain;
    private readonly AccessFlags _access;
    private readonly EngineQueuePair? _responder;
    private readonly int _end;
    private int _index;
    private uint _offset;

    /// <param name="entries">The router's own copy of the list, [first, first + count).</param>
    /// <param name="first">Index of the first entry.</param>
    /// <param name="count">Number of entries.</param>
    /// <param name="protectionDomain">The QP's PD.</param>
    /// <param name="access">The right that every region must grant.</param>
    /// <param name="responder">For rkeys: the QP whose peer uses them.</param>
    public MemoryCursor(
        ScatterGatherEntry[] entries, int first, int count, uint protectionDomain, AccessFlags access, EngineQueuePair? responder = null)
    {
        _entries = entries;
        _index = first;
        _end = first + count;
        _protectionDomain = protectionDomain;
        _access = access;
        _responder = responder;
    }

    /// <summary>
    /// Checks the entries that the first <paramref name="bytes"/> need, as far as they need them: key, PD, bounds, rights. Nobody
    /// minds what is wrong with the rest.
    /// </summary>
    public readonly bool IsValid(KeyTable keys, ulong bytes = ulong.MaxValue)
    {
        for (var i = _index; i < _end && bytes > 0; i++)
        {
            ref var entry = ref _entries[i];
            var address = entry.Address;
            var needed = Math.Min(bytes, entry.Length);
            if (needed != 0 && Find(keys, entry.LocalKey, ref address, needed) is null)
                return false;
            bytes -= needed;
        }

        return true;
    }

    /// <summary>
    /// The next piece, at most <paramref name="limit"/> bytes. False when the list is at its end
    /// (<paramref name="region"/> is then null and <paramref name="length"/> 0) or when the key is no longer valid
    /// (<paramref name="length"/> is then not 0).
    /// </summary>
    public bool TryPeek(KeyTable keys, int limit, out EngineMemoryRegion? region, out ulong address, out int length)
    {
        while (_index < _end && _offset >= _entries[_index].Length)
        {
            _index++;
            _offset = 0;
        }

        if (_index >= _end)
        {
            (region, address, length) = (null, 0, 0);
            return false;
        }

        ref var entry = ref _entries[_index];
        address = entry.Address + _offset;
        length = (int)Math.Min((uint)limit, entry.Length - _offset);
        region = Find(keys, entry.LocalKey, ref address, (ulong)length);
        if (region is null)
            return false;
        address = region.Translate(address);
        return true;
    }

    /// <summary>Moves on by at most what <see cref="TryPeek"/> gave.</summary>
    public void Advance(int bytes) => _offset += (uint)bytes;

    /// <summary>Moves on over any number of entries.</summary>
    public void Skip(uint bytes)
    {
        while (bytes > 0 && _index < _end)
        {
            var step = Math.Min(bytes, _entries[_index].Length - _offset);
            _offset += step;
            bytes -= step;
            if (_offset >= _entries[_index].Length)
            {
                _index++;
                _offset = 0;
            }
        }
    }

    private readonly EngineMemoryRegion? Find(KeyTable keys, uint key, ref ulong address, ulong length) =>
        _responder is null
            ? keys.Find(key, _protectionDomain, address, length, _access)
            : keys.FindRemote(_responder, key, ref address, length, _access);
}
