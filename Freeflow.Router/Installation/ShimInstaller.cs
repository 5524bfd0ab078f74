using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Freeflow.Router.Installation;

/// <summary>
/// Puts the libfsocket.so that belongs to this router where containers load it from. In one step: whoever starts a program meanwhile gets the
/// whole old one or the whole new one, and programs that run keep theirs, which stays until the last of them ends. Containers may be able to
/// write there, so nothing that lies there is followed or trusted.
/// </summary>
/// <param name="libraries">Has a folder for each architecture, with its library.</param>
/// <param name="directory">What containers mount as /freeflow.</param>
/// <param name="router">The router's name: another one of this host's may do the same at the same time.</param>
public sealed class ShimInstaller(string libraries, string directory, string router)
{
    public const string Library = "libfsocket.so";

    private const UnixFileMode ForAll = (UnixFileMode)0b110_100_100;

    /// <summary>The folders that come with the router.</summary>
    public static string OwnLibraries => Path.Combine(AppContext.BaseDirectory, "shim");

    /// <summary>The folder's name for the machine that this is.</summary>
    public static string Architecture => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "x86-64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString(),
    };

    /// <summary>Throws <see cref="IOException"/>, with one line that says what to do about it.</summary>
    public ShimInstallation Install()
    {
        var library = Own();
        if (!Directory.Exists(directory))
            throw new IOException($"{directory} is not there, and {Library} can't be put there: mount the host's into the router's container (-v {directory}:{directory}), or make it");
        var installed = new ShimInstallation(Path.Combine(directory, Library), Convert.ToHexStringLower(SHA256.HashData(library)), IsNew: true);
        try
        {
            if (IsThere(installed.Path, library))
                return installed with { IsNew = false };
            Replace(installed.Path, library);
            return installed;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{Library} can't be put into {directory}: {problem.Message.ReplaceLineEndings(" ")}; {ToDo(problem)}", problem);
        }
    }

    private byte[] Own()
    {
        var own = Path.Combine(libraries, Architecture, Library);
        try
        {
            return File.ReadAllBytes(own);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"this router has no {Library} for {Architecture} to install: {own} can't be read ({problem.Message.ReplaceLineEndings(" ")})", problem);
        }
    }

    /// <summary>Whether nothing need be done. What is no file, such as a pipe that nobody writes to, has no length, and is not opened.</summary>
    private static bool IsThere(string path, byte[] library)
    {
        var there = new FileInfo(path);
        return there.Exists && there.LinkTarget is null && there.Length == library.Length && there.UnixFileMode == ForAll
            && File.ReadAllBytes(path).AsSpan().SequenceEqual(library);
    }

    private void Replace(string path, byte[] library)
    {
        var beside = Path.Combine(directory, $".{Library}.{router}");
        // What an earlier start has left. It has to be gone: a link would be written through.
        File.Delete(beside);
        try
        {
            using (var file = new FileStream(beside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = ForAll }))
            {
                // Whatever the process's umask is.
                File.SetUnixFileMode(file.SafeFileHandle, ForAll);
                file.Write(library);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            Forget(beside);
            throw;
        }
    }

    private static void Forget(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // What happened first is told.
        }
    }

    private string ToDo(Exception problem)
    {
        const int readOnly = 30, noSpace = 28;
        return problem switch
        {
            IOException { HResult: readOnly } => $"mount it writable into the router's container (-v {directory}:{directory}); its containers need it only to read (:ro)",
            IOException { HResult: noSpace } => "make room there",
            UnauthorizedAccessException => "it has to belong to the user whom the router runs as",
            _ => "look at what is there",
        };
    }
}
