using Freeflow.Router.Control;
using Freeflow.Router.Dashboard.Live;

namespace Freeflow.Router.Tests.Dashboard;

/// <summary>A router that has what a test gives it.</summary>
internal sealed class ModelSource : ILiveSource
{
    private int _looks;
    private int _rounds;

    public RouterIdentity Identity { get; } = new("model", "192.0.2.1", "1", DateTime.UnixEpoch, ClusterTrust.Of(hasCertificates: false, null));

    public List<Section> Sections { get; } = [];

    /// <summary>How often somebody has looked.</summary>
    public int Looks => Volatile.Read(ref _looks);

    /// <summary>How often somebody has asked for the totals.</summary>
    public int Rounds => Volatile.Read(ref _rounds);

    public RouterTotals Totals()
    {
        Interlocked.Increment(ref _rounds);
        return default;
    }

    public Task<IReadOnlyList<Section>> LookAsync(bool withActors, CancellationToken stop)
    {
        Interlocked.Increment(ref _looks);
        lock (Sections)
            return Task.FromResult<IReadOnlyList<Section>>([.. Sections.Where(section => withActors || section.Name != "actors")]);
    }

    public void Show(params Section[] sections)
    {
        lock (Sections)
        {
            Sections.Clear();
            Sections.AddRange(sections);
        }
    }
}
