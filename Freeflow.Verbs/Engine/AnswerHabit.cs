using System.Diagnostics;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// Whether a QP's application has the habit of posting something as soon as it has got a message. Learnt from what it did
/// lately; one wait in vain outweighs several answers, since waiting costs those who do not answer.
/// </summary>
internal struct AnswerHabit
{
    private const int Strongest = 8;
    private const int CostOfAVainWait = 4;
    private static readonly long s_soon = Stopwatch.Frequency / 20_000; // 50 µs

    private long _heardAt;
    private int _strength;

    /// <summary>A message has come that was not answered yet, and an answer is likely.</summary>
    public readonly bool ExpectsAnswer => _heardAt != 0 && _strength > 0;

    /// <summary>The same where a wait in vain costs much: as good as certain.</summary>
    public readonly bool IsSureOfAnswer => _heardAt != 0 && _strength == Strongest;

    public void Heard(long now) => _heardAt = now;

    public void Posted(long now)
    {
        if (_heardAt == 0)
            return;
        _strength = Math.Clamp(_strength + (now - _heardAt <= s_soon ? 1 : -1), -Strongest, Strongest);
        _heardAt = 0;
    }

    public void WaitedInVain() => _strength = Math.Max(_strength - CostOfAVainWait, -Strongest);
}
