namespace Freeflow.Verbs.Abi;

// Small enumerations of the verbs interface, with the kernel's values (rdma/ib_user_verbs.h, ib_verbs.h).

/// <summary><c>enum ib_qp_state</c></summary>
public enum QueuePairState : byte
{
    Reset = 0,
    Init = 1,
    ReadyToReceive = 2,
    ReadyToSend = 3,
    SendQueueDrain = 4,
    SendQueueError = 5,
    Error = 6,
}

/// <summary><c>enum ib_qp_type</c>; only what a user may ask for.</summary>
public enum QueuePairType : byte
{
    ReliableConnection = 2,
    UnreliableConnection = 3,
    UnreliableDatagram = 4,
}

/// <summary><c>enum ib_qp_attr_mask</c></summary>
[Flags]
public enum QueuePairAttributes : uint
{
    None = 0,
    State = 1 << 0,
    CurrentState = 1 << 1,
    EnableSqdAsyncNotify = 1 << 2,
    AccessFlags = 1 << 3,
    PkeyIndex = 1 << 4,
    Port = 1 << 5,
    Qkey = 1 << 6,
    AddressVector = 1 << 7,
    PathMtu = 1 << 8,
    Timeout = 1 << 9,
    RetryCount = 1 << 10,
    RnrRetry = 1 << 11,
    RqPsn = 1 << 12,
    MaxQpRdAtomic = 1 << 13,
    AlternatePath = 1 << 14,
    MinRnrTimer = 1 << 15,
    SqPsn = 1 << 16,
    MaxDestRdAtomic = 1 << 17,
    PathMigState = 1 << 18,
    Capabilities = 1 << 19,
    DestinationQpn = 1 << 20,
    RateLimit = 1 << 25,
}

/// <summary><c>enum ib_access_flags</c></summary>
[Flags]
public enum AccessFlags : uint
{
    None = 0,
    LocalWrite = 1 << 0,
    RemoteWrite = 1 << 1,
    RemoteRead = 1 << 2,
    RemoteAtomic = 1 << 3,
    MwBind = 1 << 4,
    ZeroBased = 1 << 5,
    OnDemand = 1 << 6,
    HugeTlb = 1 << 7,
    FlushGlobal = 1 << 8,
    FlushPersistent = 1 << 9,

    /// <summary>Flags from here on may be ignored by a driver (IB_ACCESS_OPTIONAL).</summary>
    RelaxedOrdering = 1 << 20,
    Optional = 0x3ff << 20,
}

/// <summary><c>enum ib_event_type</c></summary>
public enum AsyncEventType : uint
{
    CqError = 0,
    QpFatal = 1,
    QpRequestError = 2,
    QpAccessError = 3,
    CommunicationEstablished = 4,
    SendQueueDrained = 5,
    PathMigrated = 6,
    PathMigrationError = 7,
    DeviceFatal = 8,
    PortActive = 9,
    PortError = 10,
    LidChange = 11,
    PkeyChange = 12,
    SmChange = 13,
    SrqError = 14,
    SrqLimitReached = 15,
    QpLastWqeReached = 16,
    ClientReregister = 17,
    GidChange = 18,
}

/// <summary><c>enum ib_wc_status</c></summary>
public enum WorkCompletionStatus : uint
{
    Success = 0,
    LocalLengthError = 1,
    LocalQpOperationError = 2,
    LocalEecOperationError = 3,
    LocalProtectionError = 4,
    WorkRequestFlushError = 5,
    MemoryWindowBindError = 6,
    BadResponseError = 7,
    LocalAccessError = 8,
    RemoteInvalidRequestError = 9,
    RemoteAccessError = 10,
    RemoteOperationError = 11,
    RetryExceededError = 12,
    RnrRetryExceededError = 13,
    LocalRddViolationError = 14,
    RemoteInvalidRdRequest = 15,
    RemoteAbortedError = 16,
    InvalidEecNumber = 17,
    InvalidEecState = 18,
    FatalError = 19,
    ResponseTimeoutError = 20,
    GeneralError = 21,
}

/// <summary>The library's <c>enum ibv_wc_opcode</c>, as it reads it from a CQ ring.</summary>
public enum WorkCompletionOpcode : uint
{
    Send = 0,
    RdmaWrite = 1,
    RdmaRead = 2,
    CompareSwap = 3,
    FetchAdd = 4,
    BindMw = 5,
    LocalInvalidate = 6,
    Receive = 1 << 7,
    ReceiveRdmaWithImmediate = (1 << 7) + 1,
}

/// <summary><c>enum ib_wc_flags</c></summary>
[Flags]
public enum WorkCompletionFlags : uint
{
    None = 0,
    Grh = 1 << 0,
    WithImmediate = 1 << 1,
    WithInvalidate = 1 << 3,
}

/// <summary><c>enum ib_uverbs_wr_opcode</c></summary>
public enum WorkRequestOpcode : uint
{
    RdmaWrite = 0,
    RdmaWriteWithImmediate = 1,
    Send = 2,
    SendWithImmediate = 3,
    RdmaRead = 4,
    AtomicCompareAndSwap = 5,
    AtomicFetchAndAdd = 6,
    LocalInvalidate = 7,
    BindMw = 8,
    SendWithInvalidate = 9,
}

/// <summary><c>enum ib_send_flags</c></summary>
[Flags]
public enum SendFlags : uint
{
    None = 0,
    Fence = 1 << 0,
    Signaled = 1 << 1,
    Solicited = 1 << 2,
    Inline = 1 << 3,
    IpChecksum = 1 << 4,
}
