using System.Security.Cryptography;
using System.Text;

namespace Freeflow.Router.Admin;

/// <summary>The secret of those who may do more on the admin port than read on this host. Only its digest is kept.</summary>
public sealed class AdminToken
{
    public const int LeastLength = 16;

    private const string Scheme = "Bearer ";

    private readonly byte[] _digest;

    private AdminToken(string token) => _digest = DigestOf(token);

    /// <summary>From a file's text, whose white space around it does not count; null for what is too short, or has other characters in it.</summary>
    public static AdminToken? TryMake(string text)
    {
        var token = text.Trim();
        return token.Length >= LeastLength && token.All(letter => letter is > ' ' and <= '~') ? new AdminToken(token) : null;
    }

    /// <summary>Whether an Authorization header shows it. Takes as long for one wrong token as for another.</summary>
    public bool IsShownBy(string authorization) => authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(DigestOf(authorization[Scheme.Length..].Trim()), _digest);

    private static byte[] DigestOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
