namespace Freeflow.Actors.ConnectionManagement;

/// <summary>What the connection managers of this router have done, for its operator. Any thread.</summary>
public sealed class ConnectionCounters
{
    private int _listeners;
    private long _requests;
    private long _refused;
    private long _established;

    public ConnectionStatistics Now => new(
        Volatile.Read(ref _listeners), Interlocked.Read(ref _requests), Interlocked.Read(ref _refused), Interlocked.Read(ref _established));

    public void Listening(int change) => Interlocked.Add(ref _listeners, change);

    public void Requested() => Interlocked.Increment(ref _requests);

    public void Refused() => Interlocked.Increment(ref _refused);

    public void Established() => Interlocked.Increment(ref _established);
}

/// <param name="Listeners">Ids that listen now.</param>
/// <param name="Requests">Requests that have come for this router's containers.</param>
/// <param name="Refused">Those of them that no application has seen; one that is said again counts again.</param>
/// <param name="Established">Ends of connections that were established.</param>
public sealed record ConnectionStatistics(int Listeners, long Requests, long Refused, long Established);
