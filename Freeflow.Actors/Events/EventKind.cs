namespace Freeflow.Actors.Events;

/// <summary>
/// What can happen that an operator is told of. The numbers are the event ids of the log and never change their meaning; docs/events.md
/// lists them, with their names (<see cref="EventKinds.NameOf"/>).
/// </summary>
public enum EventKind
{
    RouterReady = 1,
    NotRealTime = 2,
    RouterLeaving = 3,
    NoSharedFilters = 5,
    NoTcpMode = 6,
    RouterDraining = 7,
    RouterDrained = 8,
    RouterServesAgain = 9,
    LibraryInstalled = 10,
    LibraryInPlace = 11,
    OtherTcpPort = 12,

    CertificatesRead = 20,
    CertificatesReplaced = 21,
    CertificatesWrong = 22,
    ClusterOpenWithin = 23,
    ClusterOpen = 24,
    PrivilegesKept = 25,
    NoSystemCallFilter = 26,
    TracesSent = 27,

    MemberUp = 100,
    MemberUnreachable = 101,
    MemberReachable = 102,
    MemberRemoved = 103,
    MemberGivenUp = 104,
    SeedsSought = 105,
    RouterRejoins = 106,
    MemberForeign = 107,
    SeedsFound = 108,
    SeedsMissed = 109,

    LinkUp = 110,
    LinkDown = 111,
    LinkNotDialed = 112,
    LinkRefused = 113,
    LinkAgreed = 114,

    AddressDisputed = 120,

    PolicyInForce = 130,
    PolicyRefused = 131,
    PolicyNotRead = 132,
    PolicyFileGone = 133,
    TenantAmbiguous = 134,

    ContainerSeen = 200,
    ContainerAddresses = 201,
    ContainerGone = 202,
    ContainerRefused = 203,
    ContainerTenant = 204,

    DeviceOpened = 210,
    DeviceClosed = 211,
    ConnectionRefused = 212,
    ConnectionDefect = 213,

    QueuePairError = 220,
    CompletionQueueOverrun = 221,
    AsyncEventLost = 222,
    PeerAddressUnknown = 223,
    ConnectionEventLost = 224,
    ForeignAddressClaimed = 225,
    QueuePairForbidden = 226,

    DestinationPlain = 300,
    ContainerPrivileged = 301,
    FlowStrayed = 302,
    ListenerRefused = 303,
    TcpModeNotice = 304,
    FlowsForbidden = 305,
    FlowNotEnded = 306,
    TcpBandwidthNotKept = 307,
}
