namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>rdma-core's library that makes rsockets of a program's TCP sockets.</summary>
public static class Librspreload
{
    /// <summary>What comes before a program's words.</summary>
    public static string[] Words { get; } = ["env", $"LD_PRELOAD={File}:/freeflow/libfsocket.so"];

    /// <summary>As Debian's rdma-core installs it, wherever that is on this machine.</summary>
    private static string File =>
        Directory.EnumerateFiles("/usr/lib", "librspreload.so", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).First();
}
