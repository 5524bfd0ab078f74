namespace Freeflow.Actors.ConnectionManagement;

/// <summary>How far an application has come with an id (<c>enum rdma_cm_state</c>, drivers/infiniband/core/cma_priv.h).</summary>
internal enum CommunicationIdState
{
    Idle,
    AddressBound,
    AddressQuery,
    AddressResolved,
    RouteQuery,
    RouteResolved,
    Connect,
    Disconnect,
    Listen,
}

/// <summary>How far the two ends have come with each other (<c>enum ib_cm_state</c>, rdma/ib_cm.h).</summary>
internal enum ConversationState
{
    None,
    RequestSent,
    RequestReceived,
    ReplySent,
    ReplyReceived,
    Established,
    DisconnectSent,
    DisconnectReceived,
    TimeWait,
    Over,
}
