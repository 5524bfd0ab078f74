namespace Freeflow.Fuzz.Objects;

/// <summary>Kinds of objects, each with handles of its own.</summary>
internal enum Kind
{
    Domain,
    Region,
    Window,
    AddressHandle,
    CompletionQueue,
    SharedQueue,
    QueuePair,
}
