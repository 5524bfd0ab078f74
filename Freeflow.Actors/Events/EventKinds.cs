using System.Collections.Frozen;
using Akka.Event;

namespace Freeflow.Actors.Events;

/// <summary>How the kinds of events are called, and how much they matter.</summary>
public static class EventKinds
{
    private static readonly FrozenDictionary<EventKind, string> s_names = Enum.GetValues<EventKind>().ToFrozenDictionary(kind => kind, kind => CamelCase.Separated(kind.ToString(), '-'));

    /// <summary>In small letters, with hyphens: link-down.</summary>
    public static string NameOf(EventKind kind) => s_names.TryGetValue(kind, out var name) ? name : $"event-{(int)kind}";

    public static LogLevel LevelOf(EventKind kind) => kind switch
    {
        EventKind.DeviceOpened or EventKind.DeviceClosed or EventKind.DestinationPlain => LogLevel.DebugLevel,
        EventKind.MemberUnreachable or EventKind.MemberGivenUp or EventKind.MemberForeign or EventKind.SeedsMissed or EventKind.RouterRejoins or EventKind.LinkDown or EventKind.LinkNotDialed or EventKind.LinkRefused
            or EventKind.AddressDisputed or EventKind.ContainerRefused or EventKind.ConnectionRefused or EventKind.CompletionQueueOverrun or EventKind.AsyncEventLost
            or EventKind.NotRealTime or EventKind.NoSharedFilters or EventKind.OtherTcpPort or EventKind.NoTcpMode or EventKind.CertificatesWrong or EventKind.ClusterOpenWithin or EventKind.ClusterOpen
            or EventKind.PrivilegesKept or EventKind.NoSystemCallFilter or EventKind.PolicyFileGone or EventKind.TenantAmbiguous or EventKind.FlowNotEnded or EventKind.TcpBandwidthNotKept
            or EventKind.ConnectionEventLost or EventKind.ForeignAddressClaimed or EventKind.ContainerPrivileged or EventKind.FlowStrayed => LogLevel.WarningLevel,
        EventKind.ConnectionDefect or EventKind.PolicyRefused or EventKind.PolicyNotRead => LogLevel.ErrorLevel,
        _ => LogLevel.InfoLevel,
    };
}
