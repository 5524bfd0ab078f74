namespace Freeflow.Verbs.Abi;

/// <summary><c>enum ib_mw_type</c></summary>
public enum MemoryWindowType : byte
{
    Type1 = 1,
    Type2 = 2,
}
