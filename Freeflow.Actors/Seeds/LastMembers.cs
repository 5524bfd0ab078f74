using System.Net;

namespace Freeflow.Actors.Seeds;

/// <summary>
/// The other members that this router knew last, kept in a file: a router that is started again asks them beside its seeds, of which it
/// may be the only one itself. One "address:port" a line; what is none is left out, and a file that can't be read or written is as none.
/// </summary>
public sealed class LastMembers
{
    private const int Most = 4096;
    private const int LongestLine = 64;

    private readonly string _path;

    /// <param name="path">The file, in a directory that outlives the router.</param>
    public LastMembers(string path)
    {
        _path = path;
        AtStart = Read();
    }

    /// <summary>Those of the run before this one.</summary>
    public IReadOnlyList<IPEndPoint> AtStart { get; }

    /// <summary>Keeps these instead, in one step. Fails by IOException or UnauthorizedAccessException.</summary>
    public Task KeepAsync(IReadOnlyList<IPEndPoint> members) => Task.Run(() =>
    {
        var whole = _path + ".new";
        File.WriteAllLines(whole, members.Take(Most).Select(member => member.ToString()));
        File.Move(whole, _path, overwrite: true);
    });

    private List<IPEndPoint> Read()
    {
        try
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.Read);
            var bytes = new byte[Most * LongestLine];
            var text = System.Text.Encoding.ASCII.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
            return [.. text.Split('\n')
                .Select(line => IPEndPoint.TryParse(line.Trim(), out var member) && member.Port != 0 ? member : null)
                .OfType<IPEndPoint>()
                .Distinct()
                .Take(Most)];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
