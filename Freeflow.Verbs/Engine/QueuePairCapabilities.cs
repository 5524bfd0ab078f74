namespace Freeflow.Verbs.Engine;

/// <summary>Sizes of a QP's queues (<c>struct ibv_qp_cap</c>): work requests, SGEs a request, bytes of inline data.</summary>
public readonly record struct QueuePairCapabilities(int MaxSendWr, int MaxRecvWr, int MaxSendSge, int MaxRecvSge, int MaxInline);
