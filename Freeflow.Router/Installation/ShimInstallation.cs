namespace Freeflow.Router.Installation;

/// <param name="Path">Where containers load it from.</param>
/// <param name="Digest">SHA-256 of the library, in hexadecimal.</param>
/// <param name="IsNew">Whether another one, or none, was there before.</param>
public sealed record ShimInstallation(string Path, string Digest, bool IsNew);
