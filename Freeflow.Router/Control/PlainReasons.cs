using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Control;

/// <summary>Why connections are plain, in words.</summary>
internal static class PlainReasons
{
    public static string WordsOf(PlainReason reason) => reason switch
    {
        PlainReason.None => "accelerated",
        PlainReason.NoListener => "no program with the library listens there",
        PlainReason.NoOwner => "no router has the address",
        PlainReason.Unreachable => "the router that has the address has no TCP-mode link to this one",
        PlainReason.OwnAddress => "the container's own address",
        PlainReason.Busy => "the listener's queue is full",
        PlainReason.Short => "connections there were too short to gain anything",
        PlainReason.Configured => "tcp.acceleration or tcp.never",
        PlainReason.Policy => "the policy does not allow it",
        PlainReason.Privileged => "the container is privileged over the host's network",
        PlainReason.Source => "the source address is not the container's alone",
        PlainReason.NoPorts => "the host has no port left",
        PlainReason.Limit => "the container has too many host sockets that are not connected yet",
        PlainReason.Underlay => "this host's address is IPv6",
        PlainReason.Draining => "this host's router is draining",
        PlainReason.Shared => "the descriptor was duplicated or inherited before connect()",
        PlainReason.Option => "the socket has an option that can't be carried over",
        PlainReason.Slow => "the router did not answer in time",
        PlainReason.Refused => "the router's endpoint could not be connected to",
        PlainReason.Nested => "connected in a signal handler that interrupted another connect()",
        _ => "unknown",
    };
}
