using Freeflow.Actors.Serialization;
using Freeflow.Actors.Tracing;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>
/// What the two ends of a connection say to each other before there is one, and at its end: the messages of InfiniBand's
/// communication manager (specification, chapter 12), from id to id. Only a request goes by way of the exchange, which
/// finds the container that it is for.
/// </summary>
public static class CommunicationProtocol
{
    /// <summary>Private data that a message of a kind can carry, in bytes.</summary>
    public const int RequestData = 92;
    public const int ReplyData = 196;
    public const int RejectData = 148;
    public const int LookupData = 216;
    public const int FoundData = 136;

    /// <summary>REQ, or with <paramref name="IsLookup"/> SIDR_REQ: somebody asks for a connection, or where a datagram service is.</summary>
    /// <param name="Route">Who asks whom.</param>
    /// <param name="IsLookup">For datagrams.</param>
    /// <param name="End">The asker's end; nothing for a lookup.</param>
    /// <param name="PrivateData">The application's.</param>
    public sealed record Request(Route Route, bool IsLookup, Endpoint End, byte[] PrivateData) : TracedMessage, IClusterMessage
    {
        public override string Term => IsLookup ? "rdma_cm/SIDR_REQ" : "rdma_cm/REQ";
    }

    /// <summary>Who asks whom: tenant, family, addresses of 16 bytes, service ids.</summary>
    public sealed record Route(
        ulong Tenant, ushort Family, byte[] Source, ulong SourceService, byte[] Destination, ulong Service, byte TrafficClass) : IClusterMessage;

    /// <summary>What one end has: its QP and what that can do.</summary>
    public sealed record Endpoint(
        uint Qpn,
        uint Psn,
        byte ResponderResources,
        byte InitiatorDepth,
        byte RetryCount,
        byte RnrRetryCount,
        bool FlowControl,
        bool SharedReceives,
        byte Mtu,
        uint EceVendor,
        uint EceOptions) : IClusterMessage;

    /// <summary>MRA: the request is with its application, which may take its time.</summary>
    public sealed record Pending : TracedMessage, IClusterMessage
    {
        public static Pending Instance { get; } = new();

        public override string Term => "rdma_cm/MRA";
    }

    /// <summary>REP: accepted.</summary>
    public sealed record Reply(Endpoint End, byte[] PrivateData) : TracedMessage, IClusterMessage
    {
        public override string Term => "rdma_cm/REP";
    }

    /// <summary>RTU: the asker is ready, too.</summary>
    public sealed record Ready : TracedMessage, IClusterMessage
    {
        public static Ready Instance { get; } = new();

        public override string Term => "rdma_cm/RTU";
    }

    /// <summary>REJ: for a reason of the specification's table 108.</summary>
    public sealed record Reject(byte Reason, byte[] PrivateData) : TracedMessage, IClusterMessage
    {
        public override string Term => "rdma_cm/REJ";
    }

    /// <summary>DREQ.</summary>
    public sealed record Disconnect : TracedMessage, IClusterMessage
    {
        public static Disconnect Instance { get; } = new();

        public override string Term => "rdma_cm/DREQ";
    }

    /// <summary>DREP.</summary>
    public sealed record Disconnected : TracedMessage, IClusterMessage
    {
        public static Disconnected Instance { get; } = new();

        public override string Term => "rdma_cm/DREP";
    }

    /// <summary>SIDR_REP: where the service is, or with another status than 0 that it is not.</summary>
    public sealed record Found(byte Status, uint Qpn, uint Qkey, byte[] PrivateData) : TracedMessage, IClusterMessage
    {
        public override string Term => "rdma_cm/SIDR_REP";
    }
}

/// <summary>Reasons for a reject (InfiniBand specification, table 108; <c>enum ib_cm_rej_reason</c>).</summary>
public static class RejectReason
{
    /// <summary>What it is called in traces.</summary>
    public const string Attribute = "freeflow.rdma_cm.reject_reason";

    public const byte Timeout = 4;
    public const byte InvalidServiceId = 8;
    public const byte ConsumerDefined = 28;
    public const byte VendorOptionNotSupported = 35;
}

/// <summary>Statuses of a lookup (<c>enum ib_cm_sidr_status</c>).</summary>
public static class LookupStatus
{
    public const byte Success = 0;
    public const byte Unsupported = 1;
    public const byte Reject = 2;
}
