namespace Freeflow.Verbs.Links;

/// <summary>What a link between two routers carries; agreed, and proven, with its handshake.</summary>
public enum LinkPurpose : byte
{
    /// <summary>Work requests, between the engines.</summary>
    Data = 1,

    /// <summary>Listeners and announcements of TCP mode.</summary>
    Handover = 2,
}
