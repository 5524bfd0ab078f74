using System.Diagnostics;
using Akka.Actor;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Actors.Tracing;

/// <summary>
/// Spans of control operations (docs/traces.md): one for each call of a container's, and one for what a message from another router does here,
/// below the one that it was sent for. While nobody listens there are none, and asking for them costs nothing.
/// </summary>
public static class ControlTrace
{
    /// <summary>The name of the source, for whoever listens.</summary>
    public const string SourceName = "Freeflow";

    private static readonly ActivitySource s_source = new(SourceName);

    /// <summary>Whether anybody listens.</summary>
    public static bool IsOn => s_source.HasListeners();

    /// <summary>A command to the uverbs descriptor. Those that belong to the data path are no control operations.</summary>
    public static ControlSpan Call(UverbsCommand command, CallOrigin origin) =>
        command is UverbsCommand.PostSend or UverbsCommand.ReqNotifyCq ? default : Begin(CallName.Of(command), origin, default);

    /// <summary>A command to the rdma_cm descriptor, below what its id is in the middle of. GET_EVENT, by which programs poll, is none.</summary>
    public static ControlSpan Call(RdmaCmCommand command, CallOrigin origin, ActivityContext cause = default) =>
        command == RdmaCmCommand.GetEvent ? default : Begin(CallName.Of(command), origin, cause);

    /// <summary>A call that is Freeflow's own.</summary>
    public static ControlSpan Call(in CallName name, CallOrigin origin) => Begin(name, origin, default);

    /// <summary>What another id, mostly of another router, has said.</summary>
    public static ControlSpan Message(TracedMessage message, IActorRef sender)
    {
        if (Start(message.Term, ActivityKind.Consumer, message.Cause) is not { } activity)
            return default;
        if (activity.IsAllDataRequested && sender.Path.Address is { Host: { } host } address)
        {
            activity.SetTag("network.peer.address", host);
            activity.SetTag("network.peer.port", address.Port);
        }

        return new ControlSpan(activity);
    }

    private static ControlSpan Begin(in CallName name, CallOrigin origin, ActivityContext cause)
    {
        if (Start(name.Span, ActivityKind.Server, cause) is not { } activity)
            return default;
        if (activity.IsAllDataRequested)
        {
            activity.SetTag("rpc.system", "freeflow");
            activity.SetTag("rpc.service", name.Service);
            activity.SetTag("rpc.method", name.Method);
            activity.SetTag("freeflow.container", origin.Container);
            activity.SetTag("freeflow.tenant", origin.Tenant);
            activity.SetTag("freeflow.pid", origin.Pid);
        }

        return new ControlSpan(activity);
    }

    private static Activity? Start(string name, ActivityKind kind, ActivityContext cause)
    {
        if (!IsOn)
            return null;

        // Actors share their threads: neither is what one of them left there a parent, nor is this span one for what others do.
        Activity.Current = null;
        var activity = s_source.StartActivity(name, kind, cause);
        Activity.Current = null;
        return activity;
    }
}
