namespace Freeflow.Actors.Policy;

/// <summary>The policy's files as they are read.</summary>
public static class PolicyFile
{
    /// <summary>Of a policy.</summary>
    public const int MaximumBytes = 256 * 1024;

    /// <summary>Of what says who has which labels: 100 000 addresses with 160 bytes each.</summary>
    public const int MaximumLabelBytes = 16 * 1024 * 1024;

    /// <summary>How long one may take to be read: on a server that is away, or with a FIFO in its place, it is read for ever.</summary>
    public static readonly TimeSpan ReadWithin = TimeSpan.FromSeconds(10);

    /// <summary>Its text; null where there is no such file. Throws IOException or UnauthorizedAccessException.</summary>
    public static string? Read(string path, int maximumBytes = MaximumBytes)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[Math.Min(Math.Max(file.CanSeek ? file.Length : 0, MaximumBytes), maximumBytes) + 1];
            var have = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return have < bytes.Length
                ? System.Text.Encoding.UTF8.GetString(bytes, 0, have)
                : throw new IOException($"it has more than {bytes.Length - 1} bytes");
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
