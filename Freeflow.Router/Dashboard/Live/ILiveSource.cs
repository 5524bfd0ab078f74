using Freeflow.Router.Control;

namespace Freeflow.Router.Dashboard.Live;

/// <summary>What there is to see of a router.</summary>
internal interface ILiveSource
{
    /// <summary>Who it is; the same as long as it runs.</summary>
    RouterIdentity Identity { get; }

    /// <summary>Counters that are kept anyway: reading them costs nothing to speak of.</summary>
    RouterTotals Totals();

    /// <summary>The rows of every table; those of the actors only when somebody looks at them. Does not throw for a part that has no answer: it says so instead.</summary>
    Task<IReadOnlyList<Section>> LookAsync(bool withActors, CancellationToken stop);
}

/// <param name="Name">The router's.</param>
/// <param name="Address">Its host's.</param>
/// <param name="Version">The program's.</param>
/// <param name="Since">Its start, UTC.</param>
/// <param name="Trust">Who may join its cluster.</param>
internal sealed record RouterIdentity(string Name, string Address, string Version, DateTime Since, ClusterTrust Trust);

/// <summary>One table, as it is now.</summary>
/// <param name="Name">By which the page knows it.</param>
/// <param name="Rows">What is shown; null when there was no answer.</param>
/// <param name="Total">How many there are, shown or not.</param>
/// <param name="Problem">Why rows are missing; null when none are.</param>
internal sealed record Section(string Name, IReadOnlyList<(string Key, object Row)>? Rows, int Total, string? Problem = null);
