using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;

namespace Freeflow.Fuzz;

/// <summary>A second thread of the process that rewrites rings while the engine reads them.</summary>
internal sealed class RingStorm : IDisposable
{
    private readonly SplitMix _random;
    private readonly ManualResetEventSlim _isOn = new();
    private volatile MappedRing[] _rings = [];
    private volatile bool _ends;
    private Thread? _thread;

    public RingStorm(ulong seed) => _random = new SplitMix(seed);

    /// <summary>Rewrites these rings from now on; none: rests.</summary>
    public void Over(MappedRing[] rings)
    {
        _rings = rings;
        if (rings.Length == 0)
        {
            _isOn.Reset();
            return;
        }

        if (_thread is null)
        {
            _thread = new Thread(Rage) { IsBackground = true, Name = "ring-storm" };
            _thread.Start();
        }

        _isOn.Set();
    }

    public void Dispose()
    {
        _ends = true;
        _isOn.Set();
        _thread?.Join();
        _isOn.Dispose();
    }

    private void Rage()
    {
        while (true)
        {
            _isOn.Wait();
            if (_ends)
                return;
            var rings = _rings;
            for (var burst = 0; burst < 64 && rings.Length > 0; burst++)
            {
                var ring = rings[_random.Below(rings.Length)];
                switch (_random.Below(4))
                {
                    case 0:
                        ring.Producer = (uint)_random.Next();
                        break;
                    case 1:
                        ring.Consumer = (uint)_random.Next();
                        break;
                    default:
                        ring.Spoil((int)(_random.Next() >> 33), (uint)_random.Next() & (uint)_random.Next());
                        break;
                }
            }

            Thread.Yield();
        }
    }
}
