using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Measuring;
using Freeflow.Actors.Membership;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Tracing;
using Hyperion;

namespace Freeflow.Actors.Serialization;

/// <summary>
/// Hyperion for the project's own messages, and for no other type: a peer can't make this router instantiate anything
/// that is not listed here.
/// </summary>
public sealed class HyperionMessageSerializer : Akka.Serialization.Serializer
{
    /// <summary>Everything that may be on the wire. The order is part of the wire format: add at the end.</summary>
    public static IReadOnlyList<Type> KnownTypes { get; } =
    [
        typeof(PeerProtocol.Offer),
        typeof(PeerProtocol.Accept),
        typeof(CommunicationProtocol.Route),
        typeof(CommunicationProtocol.Endpoint),
        typeof(CommunicationProtocol.Request),
        typeof(CommunicationProtocol.Pending),
        typeof(CommunicationProtocol.Reply),
        typeof(CommunicationProtocol.Ready),
        typeof(CommunicationProtocol.Reject),
        typeof(CommunicationProtocol.Disconnect),
        typeof(CommunicationProtocol.Disconnected),
        typeof(CommunicationProtocol.Found),
        typeof(ReunionProtocol.Census),
        typeof(MeasuringProtocol.Ask),
        typeof(MeasuringProtocol.Ready),
        typeof(MeasuringProtocol.Refused),
        typeof(MeasuringProtocol.End),
        typeof(DirectoryPage),
    ];

    private readonly Hyperion.Serializer _hyperion = new(SerializerOptions.Default
        .WithPreserveObjectReferences(false)
        .WithKnownTypes(KnownTypes)
        .WithDisallowUnsafeType(true)
        .WithTypeFilter(new OnlyKnownTypes()));

    public HyperionMessageSerializer(ExtendedActorSystem system)
        : base(system)
    {
    }

    public override int Identifier => 4480;

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj)
    {
        RequireKnown(obj.GetType());
        using var stream = new MemoryStream();
        _hyperion.Serialize(obj, stream);
        if (obj is TracedMessage { Cause: var cause } && cause != default)
            TraceParent.Write(stream, cause);
        return stream.ToArray();
    }

    public override object FromBinary(byte[] bytes, Type type)
    {
        using var stream = new WholeMessage(bytes);
        object? message;
        try
        {
            message = _hyperion.Deserialize<object>(stream);
        }
        catch (Exception error) when (error is not SerializationException)
        {
            // Only this one costs the sender no more than the message: after any other Akka ends the connection between the routers.
            throw new SerializationException($"what a router has sent is no message of this version: {error.Message}", error);
        }

        RequireKnown(message?.GetType() ?? typeof(void));
        if (message is TracedMessage traced && stream.Rest.Length == TraceParent.Bytes)
            return traced.For(TraceParent.Read(stream.Rest));
        if (!stream.Rest.IsEmpty)
            throw new SerializationException($"{message!.GetType()} has more to it than in this version");
        return message!;
    }

    private static void RequireKnown(Type type)
    {
        if (!KnownTypes.Contains(type))
            throw new SerializationException($"{type} is none of the project's own messages");
    }

    private sealed class OnlyKnownTypes : ITypeFilter
    {
        public bool IsAllowed(string typeName) =>
            KnownTypes.Any(type => typeName.StartsWith(type.FullName!, StringComparison.Ordinal));
    }
}
