using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Memory;

/// <summary>
/// The memory behind a registration: pieces that the router shares with the process, and pieces that it reaches through
/// the kernel. For the engine's thread; nothing here allocates, throws or locks.
/// </summary>
public sealed class RegisteredMemory : IDisposable
{
    private readonly ProcessMemory? _process;
    private readonly Piece[] _pieces;
    private int _lastPiece;

    internal RegisteredMemory(ProcessMemory? process, ulong address, ulong length, Piece[] pieces)
    {
        _process = process;
        _pieces = pieces;
        Address = address;
        Length = length;
    }

    /// <summary>All of a memory of the router's own, which is no process's.</summary>
    internal static RegisteredMemory Over(SharedMemory memory, ulong address) =>
        new(null, address, (ulong)memory.Length, [new Piece(address, address + (ulong)memory.Length, memory, 0)]);

    /// <summary>One stretch of addresses; <see cref="Memory"/> is null where it is not shared.</summary>
    internal readonly record struct Piece(ulong Start, ulong End, SharedMemory? Memory, long Offset);

    /// <summary>First address, in the process.</summary>
    public ulong Address { get; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; }

    internal ReadOnlySpan<Piece> Pieces => _pieces;

    /// <summary>Copies out of the process; 0 or an errno.</summary>
    public int CopyTo(ulong address, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            if (!TryFind(address, out var piece))
                return Errno.EFAULT;
            var length = (int)Math.Min((ulong)destination.Length, piece.End - address);
            if (piece.Memory is { } shared)
                shared.Span(piece.Offset + (long)(address - piece.Start), length).CopyTo(destination);
            else if (_process!.Read(address, destination[..length]) is var error and not 0)
                return error;
            address += (ulong)length;
            destination = destination[length..];
        }

        return 0;
    }

    /// <summary>Copies into the process; 0 or an errno.</summary>
    public int CopyFrom(ulong address, ReadOnlySpan<byte> source)
    {
        while (!source.IsEmpty)
        {
            if (!TryFind(address, out var piece))
                return Errno.EFAULT;
            var length = (int)Math.Min((ulong)source.Length, piece.End - address);
            if (piece.Memory is { } shared)
                source[..length].CopyTo(shared.Span(piece.Offset + (long)(address - piece.Start), length));
            else if (_process!.Write(address, source[..length]) is var error and not 0)
                return error;
            address += (ulong)length;
            source = source[length..];
        }

        return 0;
    }

    /// <summary>
    /// The shared memory at <paramref name="address"/>: at least one byte, at most <paramref name="length"/>, up to the
    /// piece's end. False where the memory is not shared.
    /// </summary>
    public bool TryGetShared(ulong address, int length, out Span<byte> span)
    {
        if (length > 0 && TryFind(address, out var piece) && piece.Memory is { } shared)
        {
            span = shared.Span(piece.Offset + (long)(address - piece.Start), (int)Math.Min((ulong)length, piece.End - address));
            return true;
        }

        span = default;
        return false;
    }

    /// <summary>Ends the registration; the shared pages stay the process's own.</summary>
    public void Dispose() => _process?.Released(this);

    private bool TryFind(ulong address, out Piece piece)
    {
        // Work mostly goes on where it was.
        var at = _lastPiece;
        if (_pieces[at].Start <= address && address < _pieces[at].End)
        {
            piece = _pieces[at];
            return true;
        }

        for (var (low, high) = (0, _pieces.Length - 1); low <= high;)
        {
            at = (low + high) / 2;
            if (address < _pieces[at].Start)
                high = at - 1;
            else if (address >= _pieces[at].End)
                low = at + 1;
            else
            {
                _lastPiece = at;
                piece = _pieces[at];
                return true;
            }
        }

        piece = default;
        return false;
    }
}
