using System.Buffers.Binary;

namespace Freeflow.Verbs.Model.Device;

/// <summary>Carries out what is posted, one request after the other (InfiniBand specification, 9.7 to 9.9; what rxe of Linux 6.1 makes of it).</summary>
public sealed class Execution(IReadOnlyCollection<QueuePair> pairs, Action<Completion> complete)
{
    private const string Blocked = "";
    private const string Good = "ok";
    private const int HeaderBytes = 40;
    private const uint ForEver = 7;

    /// <summary>Until nothing more can be done.</summary>
    public void Run()
    {
        while (pairs.Where(pair => pair.IsAlive).ToList().Any(RunOne))
        {
        }
    }

    private bool RunOne(QueuePair qp)
    {
        if (qp.State == PairState.Err)
            return Flush(qp);
        if (qp.State != PairState.Rts || !qp.HasRung || qp.Sends.Count == 0)
            return false;
        var request = qp.Sends[0];
        var status = Try(qp, request);
        if (status == Blocked)
            return false;
        qp.Sends.RemoveAt(0);
        if (status != Good || request.IsSignaled || qp.SignalsAll)
            complete(Completion.OfSend(qp, request, status));
        if (status != Good)
            qp.State = PairState.Err;
        return true;
    }

    private bool Flush(QueuePair qp)
    {
        var any = qp.Sends.Count > 0 || qp.OwnReceives.Count > 0;
        foreach (var request in qp.Sends)
            complete(Completion.OfSend(qp, request, "WR_FLUSH_ERR"));
        foreach (var receive in qp.OwnReceives)
            complete(Completion.OfReceive(qp, receive, "WR_FLUSH_ERR"));
        qp.Sends.Clear();
        qp.OwnReceives.Clear();
        return any;
    }

    private string Try(QueuePair qp, SendRequest request)
    {
        if (!request.Operation.IsOffered(qp.Transport))
            return "LOC_QP_OP_ERR";
        if (request.Operation == Operation.Bind)
            return request.Binding!.Window.TryBind(qp, request.Binding) ? Good : "MW_BIND_ERR";
        if (request.Operation == Operation.Invalidate)
            return TryInvalidate(qp, request.Invalidated!) ? Good : "LOC_QP_OP_ERR";
        if (!request.Operation.AwaitsData() && request.Inline is null && !AreAllowed(qp.Domain, request.Parts, Access.None, request.Length))
            return request.Parts.All(part => part.HasKeyOf(qp.Domain)) ? "LOC_PROT_ERR" : "LOC_PROT_ERR~LOC_QP_OP_ERR";
        return qp.Transport switch
        {
            Transport.Reliable => TryReliable(qp, request),
            Transport.Unreliable => TryUnreliable(qp, request),
            _ => TryDatagram(qp, request),
        };
    }

    private string TryReliable(QueuePair qp, SendRequest request)
    {
        if (qp.Peer is not { IsReady: true } peer || peer.Peer != qp)
            return Blocked; // It asks again and again; sequences do not wait for it to give up.
        var needs = request.Operation.Needs();
        if (((Access)peer.Attributes["access"] & needs) != needs)
            return Reject(peer, "REM_INV_REQ_ERR");
        ReceiveRequest? receive = null;
        if (request.Operation.TakesReceive() && !peer.Receives.TryDequeue(out receive))
            return qp.Attributes["rnr-retry"] == ForEver ? Blocked : "RNR_RETRY_EXC_ERR";
        if (request.Operation.AwaitsData() && peer.Attributes["dest-rd"] == 0)
            return Reject(peer, "REM_INV_REQ_ERR");
        var length = request.Operation.IsAtomic() ? sizeof(ulong) : request.Length;
        if (needs != Access.None && length > 0 && !request.Remote!.Opens(peer, needs, length))
        {
            if (receive is not null)
                complete(Completion.OfReceive(peer, receive, "WR_FLUSH_ERR~REM_ACCESS_ERR"));
            return Reject(peer, "REM_ACCESS_ERR");
        }

        if (request.Operation.AwaitsData())
            return Fetch(qp, request, length);
        if (request.Operation.IsWrite())
        {
            Write(request);
        }
        else if (!Scatter(peer, receive!, Data(request), 0))
        {
            complete(Completion.OfReceive(peer, receive!, "LOC_PROT_ERR~LOC_QP_OP_ERR"));
            return Reject(peer, "REM_OP_ERR");
        }

        if (request.Operation == Operation.SendInvalidate && !TryInvalidate(peer, request.Invalidated!))
        {
            // The message has come, and is acknowledged: only the receiver fails.
            complete(Completion.OfReceive(peer, receive!, "REM_INV_REQ_ERR"));
            return Reject(peer, Good);
        }

        if (receive is not null)
            complete(Completion.OfMessage(peer, receive, request, null, request.Length));
        return Good;
    }

    /// <summary>What can't be delivered is dropped without a word.</summary>
    private string TryUnreliable(QueuePair qp, SendRequest request)
    {
        if (qp.Peer is not { IsReady: true } peer || peer.Peer != qp)
            return Good;
        var needs = request.Operation.Needs();
        if (((Access)peer.Attributes["access"] & needs) != needs
            || (request.Operation.TakesReceive() && peer.Receives.Count == 0)
            || (needs != Access.None && request.Length > 0 && !request.Remote!.Opens(peer, needs, request.Length)))
            return Good;
        var receive = request.Operation.TakesReceive() ? peer.Receives.Dequeue() : null;
        if (request.Operation.IsWrite())
            Write(request);
        else
            Scatter(peer, receive!, Data(request), 0);
        if (receive is not null)
            complete(Completion.OfMessage(peer, receive, request, null, request.Length));
        return Good;
    }

    private string TryDatagram(QueuePair qp, SendRequest request)
    {
        var to = request.To!;
        if (!to.IsReady || to.Attributes["qkey"] != request.Qkey || to.Receives.Count == 0)
            return Good;
        var receive = to.Receives.Dequeue();
        Scatter(to, receive, new byte[HeaderBytes], 0);
        Scatter(to, receive, Data(request), HeaderBytes);
        complete(Completion.OfMessage(to, receive, request, qp, HeaderBytes + request.Length));
        return Good;
    }

    /// <summary>Only a window of type 2 that is bound ends so: regions end by calls.</summary>
    private static bool TryInvalidate(QueuePair qp, Part key)
    {
        if (key is not { HasWrongKey: false, HasFormerKey: false, Through: { IsAlive: true, Type: 2, Bound: not null } window } || window.Owner != qp)
            return false;
        window.Unbind();
        return true;
    }

    private static string Reject(QueuePair peer, string status)
    {
        peer.State = PairState.Err;
        return status;
    }

    private static string Fetch(QueuePair qp, SendRequest request, long length)
    {
        var remote = request.Remote!;
        var data = length == 0 ? [] : remote.Region.Memory.AsSpan(remote.Offset, (int)length).ToArray();
        if (request.Operation.IsAtomic())
        {
            var value = BinaryPrimitives.ReadUInt64LittleEndian(data);
            var changed = request.Operation == Operation.Add ? value + request.Compare : value == request.Compare ? request.Swap : value;
            BinaryPrimitives.WriteUInt64LittleEndian(remote.Region.Memory.AsSpan(remote.Offset), changed);
        }

        return AreAllowed(qp.Domain, request.Parts, Access.LocalWrite, length) && Scatter(qp.Domain, request.Parts, data, 0) ? Good : "LOC_PROT_ERR";
    }

    private static byte[] Data(SendRequest request) =>
        request.Inline ?? [.. request.Parts.SelectMany(part => part.Region.Memory.AsSpan(part.Offset, part.Length).ToArray())];

    private static void Write(SendRequest request) => Data(request).CopyTo(request.Remote!.Region.Memory.AsSpan(request.Length == 0 ? 0 : request.Remote.Offset));

    private static bool Scatter(QueuePair qp, ReceiveRequest receive, byte[] data, int skip) => Scatter(qp.Domain, receive.Parts, data, skip);

    /// <summary>Spreads data over the parts; false at the first that may not be written.</summary>
    private static bool Scatter(string domain, IReadOnlyList<Part> parts, byte[] data, int skip)
    {
        var done = 0;
        foreach (var part in parts)
        {
            var into = Math.Min(part.Length - skip, data.Length - done);
            if (into > 0)
            {
                if (!(part with { Offset = part.Offset + skip }).Allows(domain, Access.LocalWrite, into))
                    return false;
                data.AsSpan(done, into).CopyTo(part.Region.Memory.AsSpan(part.Offset + skip));
                done += into;
            }

            skip = Math.Max(0, skip - part.Length);
        }

        return true;
    }

    private static bool AreAllowed(string domain, IReadOnlyList<Part> parts, Access needed, long length) =>
        length == 0 || parts.All(part => part.Length == 0 || part.Allows(domain, needed, part.Length));
}
