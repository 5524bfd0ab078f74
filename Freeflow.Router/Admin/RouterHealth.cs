using Akka.Actor;
using Akka.Cluster;
using Freeflow.Actors.Draining;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Admin;

/// <summary>Whether the router does its work.</summary>
internal sealed class RouterHealth(ActorSystem system, VerbsEngine engine, HandoverLoop handover, DrainSwitch drain)
{
    private static readonly TimeSpan s_answersWithin = TimeSpan.FromSeconds(2);

    private readonly Cluster _cluster = Cluster.Get(system);

    /// <summary>A thread that does not answer; null when all do. A router that hangs is to be started again.</summary>
    public async Task<string?> WhatHangsAsync()
    {
        // At once: each may take as long as there is.
        var (ofEngine, ofTcp) = (AnswersAsync(engine.CallBack), AnswersAsync(handover.CallBack));
        return (await ofEngine, await ofTcp) switch
        {
            (false, _) => $"the engine's thread has not answered within {s_answersWithin.TotalSeconds} s",
            (_, false) => $"TCP mode's thread has not answered within {s_answersWithin.TotalSeconds} s",
            _ => null,
        };
    }

    /// <summary>Why this router takes no part in its cluster; null when it does.</summary>
    public string? WhyNotReady() => drain.IsOn ? "this router is draining" : _cluster.SelfMember.Status == MemberStatus.Up ? null : $"this router is {_cluster.SelfMember.Status} in its cluster";

    private static async Task<bool> AnswersAsync(Action<Action> callBack)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        callBack(answered.SetResult);
        return await Task.WhenAny(answered.Task, Task.Delay(s_answersWithin)) == answered.Task;
    }
}
