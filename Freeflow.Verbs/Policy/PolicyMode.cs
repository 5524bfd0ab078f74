namespace Freeflow.Verbs.Policy;

/// <summary>What a rule lets through.</summary>
[Flags]
public enum PolicyMode
{
    Rdma = 1,
    Tcp = 2,
    Both = Rdma | Tcp,
}
