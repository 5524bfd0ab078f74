using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Bench;

/// <summary>
/// Counts what the runtime allocates while engines execute work requests: local delivery, then a data link between two
/// engines. Everything runs in this process, so nothing else can be counted with it.
/// </summary>
public static class AllocationsPerWorkRequest
{
    private const int Warmup = 20_000;
    private const int Count = 200_000;

    /// <summary>Managed bytes for each of <see cref="Count"/> work requests, the largest of all ways.</summary>
    public static double Measure()
    {
        using var here = new EngineSite();
        using var there = new EngineSite();
        EngineSite.LinkAsync(here, there).GetAwaiter().GetResult();
        double[] found = [Between(here, here), Between(here, there), Datagrams(here, here), Datagrams(here, there), OverAnEncryptedLink()];
        return found.Max();
    }

    private static double OverAnEncryptedLink()
    {
        using var here = new EngineSite();
        using var there = new EngineSite();
        EngineSite.LinkAsync(here, there, encrypt: true).GetAwaiter().GetResult();
        return Math.Max(Between(here, there), Datagrams(here, there));
    }

    private static double Datagrams(EngineSite from, EngineSite to)
    {
        using var sender = new DatagramApplication(from, "10.0.1.1");
        using var receiver = new DatagramApplication(to, "10.0.1.2");
        if (from != to)
            from.Owners[receiver.Gid] = to.Owners[sender.Gid] = 0;
        sender.SetHandle(1, receiver.Gid);
        Exchange(sender, receiver, Warmup);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Exchange(sender, receiver, Count);
        return (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Count;
    }

    private static void Exchange(DatagramApplication sender, DatagramApplication receiver, int requests)
    {
        for (var done = 0; done < requests; done++)
        {
            receiver.PostReceive(8192, 2048);
            sender.Post(1, receiver.QueuePair.Number, 64);
            Expect(sender.Take());
            Expect(receiver.Take());
        }
    }

    private static double Between(EngineSite from, EngineSite to)
    {
        using var pair = new EnginePair(from, to);
        Exchange(pair.One, pair.Other, Warmup);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Exchange(pair.One, pair.Other, Count);
        return (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Count;
    }

    // A round of each: SEND, WRITE, READ, FETCH_ADD. Written so that it allocates nothing itself.
    private static void Exchange(EngineApplication sender, EngineApplication receiver, int requests)
    {
        for (var done = 0; done < requests; done += 4)
        {
            receiver.PostReceive(0, 4096);
            sender.Post(WorkRequestOpcode.Send, 0, 64, receiver);
            sender.Post(WorkRequestOpcode.RdmaWrite, 64, 2048, receiver, 8192);
            sender.Post(WorkRequestOpcode.RdmaRead, 16384, 2048, receiver, 8192);
            sender.Post(WorkRequestOpcode.AtomicFetchAndAdd, 32768, 8, receiver, 8192, compareAdd: 1);
            for (var i = 0; i < 4; i++)
                Expect(sender.Take());
            Expect(receiver.Take());
        }
    }

    private static void Expect(in WorkCompletion completion)
    {
        if (completion.Status != WorkCompletionStatus.Success)
            throw new InvalidOperationException($"a work request ended with {completion.Status}");
    }
}
