using System.Globalization;
using System.Text;

namespace Freeflow.Router.Output;

/// <summary>Texts that containers have chosen, made fit for a terminal.</summary>
public static class Printable
{
    /// <summary>
    /// With everything that is not to be seen as it is (controls, escapes, marks that turn the direction, halves of characters, line ends) as
    /// \x1b or \u202e, and backslashes doubled, so that nothing can pass for such a thing.
    /// </summary>
    public static string Of(string text)
    {
        if (text.All(letter => letter is >= ' ' and <= '~' and not '\\'))
            return text;
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == '\\')
                shown.Append(@"\\");
            else if (IsShown(rune))
                shown.Append(rune.ToString());
            else
                    shown.Append(rune.Value <= 0xff ? $@"\x{rune.Value:x2}" : $@"\u{rune.Value:x4}");
        }

        return shown.ToString();
    }

    private static bool IsShown(Rune rune) => rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
