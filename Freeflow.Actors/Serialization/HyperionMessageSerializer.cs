using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Peers;
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
        return stream.ToArray();
    }

    public override object FromBinary(byte[] bytes, Type type)
    {
        using var stream = new MemoryStream(bytes);
        var message = _hyperion.Deserialize<object>(stream);
        RequireKnown(message.GetType());
        return message;
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
