using System.Diagnostics;

namespace Freeflow.Router.Dashboard.Live;

/// <summary>The last minutes' rates, kept whether or not somebody looks: who opens the page wants to see what led to what is.</summary>
internal sealed class RateHistory
{
    public const int Most = 600;

    private readonly Queue<RateSample> _samples = new(Most);
    private RouterTotals? _before;
    private long _at;

    public IReadOnlyCollection<RateSample> Samples => _samples;

    /// <summary>Null for the first one, which nothing comes before.</summary>
    public RateSample? Add(in RouterTotals now)
    {
        var at = Stopwatch.GetTimestamp();
        var sample = _before is { } before ? RateSample.Between(before, now, Stopwatch.GetElapsedTime(_at, at), DateTimeOffset.UtcNow) : null;
        (_before, _at) = (now, at);
        if (sample is not null)
        {
            if (_samples.Count == Most)
                _samples.Dequeue();
            _samples.Enqueue(sample);
        }

        return sample;
    }
}
