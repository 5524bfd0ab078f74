namespace Freeflow.Verbs.Handover;

/// <summary><c>enum ff_reason</c> of Freeflow.Shim/protocol.h: why a connection is plain.</summary>
public enum PlainReason : byte
{
    None = 0,
    NoListener = 1,
    NoOwner = 2,
    Unreachable = 3,
    OwnAddress = 4,
    Busy = 5,
    Short = 6,
    Configured = 7,
    Policy = 8,
    Privileged = 9,
    Source = 10,
    NoPorts = 11,
    Limit = 12,
    Underlay = 13,
    Draining = 20,
    Shared = 32,
    Option = 33,
    Slow = 34,
    Refused = 35,
    Nested = 36,
}
