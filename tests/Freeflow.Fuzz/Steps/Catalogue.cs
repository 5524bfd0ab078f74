using Freeflow.Fuzz.Sequences;

namespace Freeflow.Fuzz.Steps;

/// <summary>All that a hostile process may do in a step, by name.</summary>
internal static class Catalogue
{
    private static readonly Dictionary<string, (int Weight, Action<Scene, Choices> Do)> s_steps = new()
    {
        ["open"] = (2, ConnectionSteps.Open),
        ["drop"] = (1, ConnectionSteps.Drop),
        ["pipeline"] = (2, ConnectionSteps.Pipeline),
        ["drop-midway"] = (1, ConnectionSteps.DropMidway),
        ["wrong-message"] = (1, ConnectionSteps.WrongMessage),
        ["ended-connection"] = (1, ConnectionSteps.EndedConnection),
        ["wrong-descriptors"] = (1, ConnectionSteps.WrongDescriptors),
        ["map"] = (1, ConnectionSteps.Map),
        ["share"] = (3, MemorySteps.Share),
        ["unmap"] = (1, MemorySteps.Unmap),
        ["protect"] = (1, MemorySteps.Protect),
        ["remap"] = (2, MemorySteps.Remap),
        ["context"] = (1, ObjectSteps.Context),
        ["query-device"] = (1, ObjectSteps.QueryDevice),
        ["query-port"] = (1, ObjectSteps.QueryPort),
        ["alloc-pd"] = (3, ObjectSteps.AllocPd),
        ["dealloc-pd"] = (1, ObjectSteps.DeallocPd),
        ["reg-mr"] = (6, ObjectSteps.RegMr),
        ["rereg-mr"] = (2, ObjectSteps.ReregMr),
        ["dereg-mr"] = (2, ObjectSteps.DeregMr),
        ["alloc-mw"] = (2, ObjectSteps.AllocMw),
        ["dealloc-mw"] = (1, ObjectSteps.DeallocMw),
        ["create-ah"] = (3, ObjectSteps.CreateAh),
        ["destroy-ah"] = (1, ObjectSteps.DestroyAh),
        ["create-channel"] = (1, QueueSteps.CreateChannel),
        ["create-cq"] = (4, QueueSteps.CreateCq),
        ["resize-cq"] = (2, QueueSteps.ResizeCq),
        ["destroy-cq"] = (1, QueueSteps.DestroyCq),
        ["notify-cq"] = (2, QueueSteps.NotifyCq),
        ["create-srq"] = (2, QueueSteps.CreateSrq),
        ["modify-srq"] = (2, QueueSteps.ModifySrq),
        ["query-srq"] = (1, QueueSteps.QuerySrq),
        ["destroy-srq"] = (1, QueueSteps.DestroySrq),
        ["prepare"] = (3, QueuePairSteps.Prepare),
        ["create-qp"] = (6, QueuePairSteps.Create),
        ["query-qp"] = (1, QueuePairSteps.Query),
        ["modify-qp"] = (4, QueuePairSteps.Modify),
        ["connect"] = (8, QueuePairSteps.Connect),
        ["destroy-qp"] = (2, QueuePairSteps.Destroy),
        ["attach"] = (2, QueuePairSteps.Attach),
        ["detach"] = (1, QueuePairSteps.Detach),
        ["post"] = (14, RingSteps.Post),
        ["receive"] = (8, RingSteps.Receive),
        ["poll"] = (6, RingSteps.Poll),
        ["ring"] = (2, RingSteps.Ring),
        ["scribble"] = (4, RingSteps.Scribble),
        ["scribble-doorbell"] = (2, RingSteps.ScribbleDoorbell),
        ["storm"] = (3, RingSteps.Storm),
        ["calm"] = (3, RingSteps.Calm),
        ["pause"] = (3, RingSteps.Pause),
        ["noise"] = (2, ObjectSteps.Noise),
        ["cm-open"] = (1, ManagerSteps.Open),
        ["cm-close"] = (1, ManagerSteps.Close),
        ["cm-create"] = (3, ManagerSteps.Create),
        ["cm-destroy"] = (2, ManagerSteps.Destroy),
        ["cm-bind"] = (3, ManagerSteps.Bind),
        ["cm-listen"] = (2, ManagerSteps.Listen),
        ["cm-resolve"] = (4, ManagerSteps.Resolve),
        ["cm-route"] = (3, ManagerSteps.Route),
        ["cm-connect"] = (3, ManagerSteps.Connect),
        ["cm-accept"] = (2, ManagerSteps.Accept),
        ["cm-reject"] = (1, ManagerSteps.Reject),
        ["cm-disconnect"] = (1, ManagerSteps.Disconnect),
        ["cm-dial"] = (3, ManagerSteps.Dial),
        ["cm-query"] = (2, ManagerSteps.Query),
        ["cm-option"] = (2, ManagerSteps.Option),
        ["cm-attributes"] = (1, ManagerSteps.Attributes),
        ["cm-event"] = (4, ManagerSteps.Event),
        ["cm-join"] = (2, ManagerSteps.Join),
        ["cm-leave"] = (1, ManagerSteps.Leave),
        ["cm-migrate"] = (2, ManagerSteps.Migrate),
        ["cm-notify"] = (1, ManagerSteps.Notify),
        ["cm-noise"] = (1, ManagerSteps.Noise),
    };

    private static readonly string[] s_byWeight = [.. s_steps.SelectMany(step => Enumerable.Repeat(step.Key, step.Value.Weight))];

    /// <summary>What most sequences begin with.</summary>
    public const string First = "prepare";

    public static string Draw(SplitMix random) => s_byWeight[random.Below(s_byWeight.Length)];

    public static Action<Scene, Choices> Find(string name) =>
        s_steps.TryGetValue(name, out var step) ? step.Do : throw new FormatException($"there is no step \"{name}\"");
}
