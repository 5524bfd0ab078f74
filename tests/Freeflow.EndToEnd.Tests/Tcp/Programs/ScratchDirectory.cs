namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>
/// A directory for one test's configuration, pid files and data, gone after it. The containers see it at the same path,
/// since they share the machine's files.
/// </summary>
public sealed class ScratchDirectory : IDisposable
{
    private const UnixFileMode ForAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public ScratchDirectory()
    {
        Path = Directory.CreateTempSubdirectory("freeflow-").FullName;
        File.SetUnixFileMode(Path, ForAll);
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string MakeDirectory(string name) => Directory.CreateDirectory(this[name]).FullName;

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>A shell script of that text.</summary>
    public string WriteScript(string name, string text)
    {
        var path = Write(name, "#!/bin/sh\n" + text + "\n");
        File.SetUnixFileMode(path, ForAll);
        return path;
    }

    /// <summary>Bytes without a pattern, the same in every run.</summary>
    public string WriteNoise(string name, int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public void MustBeEqual(string expected, string actual)
    {
        var (wanted, found) = (File.ReadAllBytes(this[expected]), File.ReadAllBytes(this[actual]));
        var at = wanted.AsSpan().CommonPrefixLength(found);
        Assert.True(at == wanted.Length && at == found.Length,
            $"{actual} has {found.Length} bytes and differs from {expected} with {wanted.Length} at {at}");
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
