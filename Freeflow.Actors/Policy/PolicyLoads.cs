namespace Freeflow.Actors.Policy;

/// <summary>What has become of the policies that came since the router's start, from the file and from operators. Read on any thread.</summary>
public sealed class PolicyLoads
{
    private long _accepted;
    private long _refused;
    private long _unreadable;
    private volatile bool _isFileWrong;

    /// <summary>Put in force.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Wrong, and refused whole.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Times that the file could not be read.</summary>
    public long Unreadable => Interlocked.Read(ref _unreadable);

    /// <summary>Whether the file, as it is now, does not hold.</summary>
    public bool IsFileWrong
    {
        get => _isFileWrong;
        internal set => _isFileWrong = value;
    }

    internal void CountAccepted() => Interlocked.Increment(ref _accepted);

    internal void CountRefused() => Interlocked.Increment(ref _refused);

    internal void CountUnreadable() => Interlocked.Increment(ref _unreadable);
}
