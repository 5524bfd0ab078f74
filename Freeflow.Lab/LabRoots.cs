using System.Text.RegularExpressions;

namespace Freeflow.Lab;

/// <summary>
/// Root file systems of containers, such as debootstrap trees: "DIR" for all of them, "h1=DIR" for a host's, "h1c1=DIR" for
/// one. What names fewer containers goes before what names more; a container that none names has the machine's own.
/// </summary>
public sealed partial class LabRoots : LabWords
{
    /// <summary>A container's; null: the machine's.</summary>
    public string? Of(int host, int container) =>
        Given(LabLayout.Container(host, container)) ?? Given(LabLayout.Host(host)) ?? Given("");

    /// <summary>Throws where one is no directory, or is for a host or container that is not among the lab's.</summary>
    public void MustFit(IEnumerable<string> nodes)
    {
        var known = nodes.Append("").ToHashSet();
        foreach (var (node, directory) in this.Select(Split))
        {
            if (!known.Contains(node))
                throw new LabException($"a root is given for {node}, which is no host or container of this lab");
            if (!Directory.Exists(directory))
                throw new LabException($"the root {directory} is no directory");
        }
    }

    private string? Given(string node) => this.Select(Split).LastOrDefault(root => root.Node == node).Directory;

    private static (string Node, string Directory) Split(string word)
    {
        var named = Named().Match(word);
        return named.Success
            ? (named.Groups["node"].Value, Path.GetFullPath(named.Groups["directory"].Value))
            : ("", Path.GetFullPath(word));
    }

    [GeneratedRegex(@"^(?<node>h\d+(c\d+)?)=(?<directory>.+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Named();
}
