namespace Freeflow.Verbs.Engine;

/// <summary>How much one QP may do in a turn before others have theirs.</summary>
internal struct WorkBudget(int operations, int bytes)
{
    private int _operations = operations;

    /// <summary>Bytes left in the turn.</summary>
    public int Bytes { get; private set; } = bytes;

    public readonly bool IsSpent => _operations <= 0 || Bytes <= 0;

    public void Spend(int moved)
    {
        _operations--;
        Bytes -= moved;
    }
}
