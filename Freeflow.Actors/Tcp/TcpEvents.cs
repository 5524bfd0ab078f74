namespace Freeflow.Actors.Tcp;

/// <summary>What TCP mode's thread tells a process's connection.</summary>
public static class TcpEvents
{
    public sealed record ProcessEnded(string Reason);
}
