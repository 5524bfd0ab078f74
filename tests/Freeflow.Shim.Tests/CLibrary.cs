namespace Freeflow.Shim.Tests;

/// <summary>The C libraries whose programs one and the same file has to serve.</summary>
public enum CLibrary
{
    Glibc,
    Musl,
}
