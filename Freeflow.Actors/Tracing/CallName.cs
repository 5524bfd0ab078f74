using System.Collections.Frozen;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Actors.Tracing;

/// <summary>How a call is named in traces: as a remote procedure, uverbs/create_qp.</summary>
/// <param name="Service">What is asked: uverbs, rdma_cm, tcp.</param>
/// <param name="Method">The command, in the kernel's words.</param>
/// <param name="Span">Both.</param>
public readonly record struct CallName(string Service, string Method, string Span)
{
    private static readonly FrozenDictionary<UverbsCommand, CallName> s_uverbs = NamesOf<UverbsCommand>("uverbs");
    private static readonly FrozenDictionary<RdmaCmCommand, CallName> s_rdmaCm = NamesOf<RdmaCmCommand>("rdma_cm");
    private static readonly CallName s_unknown = Named("uverbs", "unknown");

    /// <summary>Pages of a process become shared ones, ahead of reg_mr.</summary>
    public static CallName SharePages { get; } = Named("uverbs", "share_pages");

    public static CallName TcpListen { get; } = Named("tcp", "listen");

    public static CallName TcpResolve { get; } = Named("tcp", "resolve");

    /// <summary>A number that is no command's has no name of its own: whoever sends all of them makes no new names.</summary>
    public static CallName Of(UverbsCommand command) => s_uverbs.TryGetValue(command, out var name) ? name : s_unknown;

    public static CallName Of(RdmaCmCommand command) => s_rdmaCm.TryGetValue(command, out var name) ? name : s_unknown;

    private static FrozenDictionary<T, CallName> NamesOf<T>(string service)
        where T : struct, Enum => Enum.GetValues<T>().ToFrozenDictionary(command => command, command => Named(service, CamelCase.Separated(command.ToString(), '_')));

    private static CallName Named(string service, string method) => new(service, method, $"{service}/{method}");
}
