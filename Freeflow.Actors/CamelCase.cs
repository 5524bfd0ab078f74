using System.Text;

namespace Freeflow.Actors;

/// <summary>Names of enumerations, as they are shown.</summary>
internal static class CamelCase
{
    /// <summary>In small letters, its words with <paramref name="between"/> between them: LinkDown, link-down.</summary>
    public static string Separated(string name, char between)
    {
        var words = new StringBuilder();
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && words.Length > 0)
                words.Append(between);
            words.Append(char.ToLowerInvariant(letter));
        }

        return words.ToString();
    }
}
