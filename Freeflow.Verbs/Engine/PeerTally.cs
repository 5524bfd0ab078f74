namespace Freeflow.Verbs.Engine;

/// <summary>What has gone over the data links to one peer. Written by the engine's thread alone, read by any.</summary>
public sealed class PeerTally
{
    /// <summary>With the headers of its frames.</summary>
    public long BytesSent { get; internal set; }

    /// <summary>The same.</summary>
    public long BytesReceived { get; internal set; }

    /// <summary>Requests to its QPs that were sent again.</summary>
    public long Retries { get; internal set; }

    /// <summary>Times that a link to it was lost.</summary>
    public long LinksLost { get; internal set; }

    public bool IsUp { get; internal set; }
}
