using System.Net;
using Freeflow.Router.Admin;

namespace Freeflow.Router.Configuration;

/// <summary>The router's HTTP side.</summary>
/// <param name="At">Where it listens.</param>
/// <param name="Token">Who has it may read from anywhere, and change things; null: nobody may.</param>
/// <param name="Hosts">Names by which browsers may call it, beside those that are always its own.</param>
public sealed record AdminOptions(IPEndPoint At, AdminToken? Token, IReadOnlyList<string> Hosts);
