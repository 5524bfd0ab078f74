namespace Freeflow.Verbs.Model.Device;

/// <summary>A QP's state (IBV_QPS_*).</summary>
public enum PairState
{
    Reset,
    Init,
    Rtr,
    Rts,
    Sqd,
    Sqe,
    Err,
}
