using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// The work requests that never leave the router, and the invalidation that a peer's send asks for (InfiniBand specification,
/// 10.6.7; the rxe driver's rxe_bind_mw and rxe_invalidate_mw, which check less: see docs/compatibility.md).
/// </summary>
internal sealed class WindowOperations(KeyTable keys)
{
    private const AccessFlags Writing = AccessFlags.RemoteWrite | AccessFlags.RemoteAtomic;

    /// <summary>Carries a local operation out, whole and at once.</summary>
    public WorkCompletionStatus Execute(EngineQueuePair qp, in SendOperation operation) =>
        operation.Opcode == WorkRequestOpcode.BindMw
            ? TryBind(qp, operation) ? WorkCompletionStatus.Success : WorkCompletionStatus.MemoryWindowBindError
            : TryInvalidate(qp, operation.Immediate) ? WorkCompletionStatus.Success : WorkCompletionStatus.LocalQpOperationError;

    /// <summary>
    /// Ends what a key gives access to. Only a bound window of type 2 can be ended so: an application's regions are
    /// registered by calls, and end by calls.
    /// </summary>
    public bool TryInvalidate(EngineQueuePair qp, uint key)
    {
        if (keys.WindowOf(key) is not { Type: MemoryWindowType.Type2, Region: not null } window
            || window.ProtectionDomain != qp.ProtectionDomain || window.QueuePair != qp)
            return false;
        window.Unbind();
        return true;
    }

    private bool TryBind(EngineQueuePair qp, in SendOperation operation)
    {
        if (keys.WindowOf(operation.WindowKey) is not { } window || window.ProtectionDomain != qp.ProtectionDomain)
            return false;
        var access = operation.WindowAccess;
        var isZeroBased = (access & AccessFlags.ZeroBased) != 0;
        var isType2 = window.Type == MemoryWindowType.Type2;
        if (isType2 ? window.Region is not null || operation.WindowLength == 0 : isZeroBased)
            return false;

        if (operation.WindowLength == 0)
        {
            window.Bind(qp, null, operation.RemoteKey, 0, 0, AccessFlags.None);
            return true;
        }

        if (keys.LocalRegionOf(operation.RegionKey) is not { } region || region.ProtectionDomain != qp.ProtectionDomain
            || (region.Access & AccessFlags.ZeroBased) != 0 || (region.Access & AccessFlags.MwBind) == 0
            || ((access & Writing) != 0 && (region.Access & AccessFlags.LocalWrite) == 0)
            || !region.Covers(operation.RemoteAddress, operation.WindowLength))
            return false;
        window.Bind(qp, region, operation.RemoteKey, operation.RemoteAddress, operation.WindowLength, access);
        return true;
    }
}
