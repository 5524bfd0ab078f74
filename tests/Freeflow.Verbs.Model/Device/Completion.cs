namespace Freeflow.Verbs.Model.Device;

/// <summary>A completion, as tests/Programs/verbs-sequence.c writes it.</summary>
public sealed record Completion(string Line)
{
    public static Completion OfSend(QueuePair qp, SendRequest request, string status) => new(
        $"= {qp.Name} send {request.Id} {status}"
        + (status != "ok" ? "" : $" {request.Operation.Done()}")
        + (status == "ok" && request.Operation == Operation.Read ? $" bytes={request.Length}" : ""));

    public static Completion OfReceive(QueuePair qp, ReceiveRequest receive, string status) => new($"= {qp.Name} recv {receive.Id} {status}");

    /// <summary>A receive that has taken a message.</summary>
    public static Completion OfMessage(QueuePair qp, ReceiveRequest receive, SendRequest message, QueuePair? from, long bytes) => new(
        $"= {qp.Name} recv {receive.Id} ok {(message.Operation == Operation.WriteImmediate ? "recv-imm" : "recv")} bytes={bytes}"
        + (message.Operation.HasImmediate() ? $" imm={message.Immediate}" : "")
        + (message.Operation == Operation.SendInvalidate ? $" inv={message.Invalidated!.Through!.Name}" : "")
        + " grh"
        + (from is null ? "" : $" from={from.Name}"));
}
