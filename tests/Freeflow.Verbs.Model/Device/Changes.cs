using System.Numerics;

namespace Freeflow.Verbs.Model.Device;

/// <summary>MODIFY_QP: what the kernel looks at (uverbs' modify_qp, ib_modify_qp_is_ok, rxe_qp_chk_attr), and what a change does.</summary>
public static class Changes
{
    private const uint Port = 1;
    private const uint LargestMtu = 5;
    private const uint LargestTimeout = 31;
    private const uint LargestReads = 128;

    /// <summary>Values by their names; "state" and "cur" are states, "dest" and "av" name no number. Returns the answer.</summary>
    public static string Apply(QueuePair qp, IReadOnlyDictionary<string, uint> numbers, PairState? state, PairState? current, QueuePair? destination, bool hasPath)
    {
        List<string> named = [.. numbers.Keys.Where(name => name is not ("av-port" or "av-index"))];
        if (current is not null)
            named.Add("cur");
        if (destination is not null)
            named.Add("dest");
        if (hasPath)
            named.Add("av");

        // uverbs takes the path's port for the QP's own, but on the way to RTR, and so UC has no way to another path.
        if (hasPath && state != PairState.Rtr && !named.Contains("port"))
            named.Add("port");

        // A source GID that there is not is seen before the driver sees anything, but after the ports.
        if (numbers.ContainsKey("av-index") && ArePorts(numbers) && (state != PairState.Rtr || qp.Attributes["port"] == Port))
            return "ENODATA";
        if (!AreInRange(numbers) || !Transitions.IsAllowed(qp.Transport, qp.State, state ?? qp.State, named))
            return "EINVAL";
        foreach (var (name, value) in numbers.Where(entry => qp.Attributes.ContainsKey(entry.Key)))
        {
            // Responder resources and reads under way are kept in powers of two, and shown in a byte.
            qp.Attributes[name] = name is "rd" or "dest-rd" ? (byte)(value == 0 ? 0 : BitOperations.RoundUpToPowerOf2(value)) : value;
        }

        qp.Peer = destination ?? qp.Peer;
        if (state is { } to)
            Enter(qp, to);
        return "ok";
    }

    private static bool AreInRange(IReadOnlyDictionary<string, uint> numbers)
    {
        bool IsAtMost(string name, uint largest) => !numbers.TryGetValue(name, out var value) || value <= largest;
        return ArePorts(numbers) && IsAtMost("mtu", LargestMtu) && IsAtMost("timeout", LargestTimeout) && IsAtMost("rd", LargestReads);
    }

    private static bool ArePorts(IReadOnlyDictionary<string, uint> numbers)
    {
        bool IsPort(string name) => !numbers.TryGetValue(name, out var value) || value == Port;
        return IsPort("port") && IsPort("av-port");
    }

    private static void Enter(QueuePair qp, PairState to)
    {
        if (to == PairState.Reset)
        {
            qp.Sends.Clear();
            qp.OwnReceives.Clear();
        }

        if (to is not (PairState.Rts or PairState.Sqd))
            qp.HasRung = false;
        qp.State = to;
    }
}
