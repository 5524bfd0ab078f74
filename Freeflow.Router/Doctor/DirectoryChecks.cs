namespace Freeflow.Router.Doctor;

/// <summary>The directories that containers see, and those that they must not.</summary>
public static class DirectoryChecks
{
    private const UnixFileMode ForOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode OtherSees = UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <param name="path">What containers mount as /freeflow.</param>
    public static IEnumerable<Finding> Shared(string path)
    {
        if (!Directory.Exists(path))
        {
            yield return Finding.Warn("directory", $"{path} is not there", "the router makes it; put libfsocket.so there");
            yield break;
        }

        var mode = File.GetUnixFileMode(path);
        yield return (mode & ForOthers) != 0 ? Finding.Fail("directory", $"{path} can be written by others ({Words(mode)})", $"chmod go-w {path}: its library is loaded into every container")
            : (mode & OtherSees) != OtherSees ? Finding.Fail("directory", $"{path} can't be read by others ({Words(mode)})", $"chmod 755 {path}: containers' programs load the library from there")
            : Finding.Ok("directory", $"{path} ({Words(mode)})");
        yield return Library(Path.Combine(path, "libfsocket.so"));
    }

    /// <param name="path">Of the control socket.</param>
    public static Finding Runtime(string path)
    {
        if (!Directory.Exists(path))
            return Finding.Ok("runtime directory", $"{path} is not there yet; the router makes it");
        var mode = File.GetUnixFileMode(path);
        return (mode & ForOthers) != 0
            ? Finding.Fail("runtime directory", $"{path} can be written by others ({Words(mode)})", $"chmod 700 {path}: who writes there can pass for the router")
            : (mode & OtherSees) != 0
                ? Finding.Warn("runtime directory", $"{path} can be seen by others ({Words(mode)})", $"chmod 700 {path}: only root needs it")
                : Finding.Ok("runtime directory", $"{path} ({Words(mode)})");
    }

    /// <param name="devices">/dev/infiniband.</param>
    /// <param name="drivers">/sys/class/infiniband_verbs.</param>
    public static Finding Devices(string devices, string drivers)
    {
        var nodes = Directory.Exists(devices) ? Directory.GetFileSystemEntries(devices).Select(entry => Path.GetFileName(entry)!).Order(StringComparer.Ordinal).ToList() : [];
        var known = Directory.Exists(drivers) ? Directory.GetDirectories(drivers).Select(entry => Path.GetFileName(entry)!).ToHashSet() : [];
        var stale = nodes.Where(node => node.StartsWith("uverbs", StringComparison.Ordinal) && !known.Contains(node)).ToList();
        if (stale.Count > 0)
        {
            return Finding.Warn(
                "RDMA devices", $"{string.Join(", ", stale)} in {devices} without a driver", $"remove them: programs without the library fail on them instead of finding no device");
        }

        return nodes.Count == 0
            ? Finding.Ok("RDMA devices", "none of the host's own")
            : Finding.Ok("RDMA devices", $"the host has its own ({string.Join(", ", nodes)}); containers see Freeflow's");
    }

    private static Finding Library(string path)
    {
        if (!File.Exists(path))
            return Finding.Warn("library", $"{path} is not there", "copy it there: containers preload it");
        var mode = File.GetUnixFileMode(path);
        return (mode & ForOthers) != 0
            ? Finding.Fail("library", $"{path} can be written by others ({Words(mode)})", $"chmod go-w {path}: it is loaded into every container")
            : Finding.Ok("library", path);
    }

    private static string Words(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(3, '0');
}
