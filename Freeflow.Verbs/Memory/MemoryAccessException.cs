namespace Freeflow.Verbs.Memory;

/// <summary>Memory can't be registered; <see cref="Errno"/> is what the kernel would give.</summary>
public sealed class MemoryAccessException(int errno, string message) : Exception(message)
{
    public int Errno { get; } = errno;
}
