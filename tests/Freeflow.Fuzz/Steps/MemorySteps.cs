using System.Runtime.InteropServices;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Channel;

namespace Freeflow.Fuzz.Steps;

/// <summary>What the process does with its memory, registered or not.</summary>
internal static class MemorySteps
{
    /// <summary>Has the router share pages, and maps them as the shim does, or does not.</summary>
    public static void Share(Scene scene, Choices choices)
    {
        var device = ObjectSteps.Ready(scene, choices);
        var length = choices.OneIn(8) ? choices.Edge() : choices.Of(Arena.SlotBytes, Arena.SlotBytes / 2, 4096ul, 100ul);
        var address = choices.OneIn(8) ? choices.Edge() : Arena.SlotAt(choices.Below(Arena.Slots)) + (choices.OneIn(4) ? choices.Next(Arena.SlotBytes) : 0);
        var request = new ShimShareRequest { Address = Arena.Tame(address, length), Length = length };
        device.Channel.Send(ShimMessageType.Share, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimShareRequest>(in request)));
        using var answer = device.Expect(ShimMessageType.Share, device.Channel.Sequence);
        scene.Saw($"share {answer.Errno} {answer.Descriptors.Count}");
        if (choices.OneIn(4) || answer.Descriptors.Count != 1)
            return;
        const int head = 2 * sizeof(uint);
        foreach (var range in MemoryMarshal.Cast<byte, ShimShare>(answer.Payload.AsSpan(head)))
            Arena.TryMapShared(answer.Descriptors[0], range.Address, range.Length, range.Offset);
    }

    public static void Unmap(Scene scene, Choices choices) => Arena.Unmap(choices.Below(Arena.Slots));

    public static void Protect(Scene scene, Choices choices) => Arena.Protect(choices.Below(Arena.Slots), choices.Of(1, 0, 3));

    public static void Remap(Scene scene, Choices choices) => Arena.Remap(choices.Below(Arena.Slots));
}
