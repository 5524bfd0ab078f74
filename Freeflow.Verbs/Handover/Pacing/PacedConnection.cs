namespace Freeflow.Verbs.Handover.Pacing;

/// <summary>A connection whose container is limited.</summary>
internal sealed class PacedConnection
{
    /// <summary>Passes in a row without it, after which it takes no share from others.</summary>
    private const int MissedWhenItIsGone = 2;

    private ulong _sent;
    private bool _wasThere;

    /// <param name="cookie">By which the kernel knows its socket.</param>
    /// <param name="container">Whose it is.</param>
    /// <param name="given">The rate that its socket was made with (<see cref="PacingEntry.Unlimited"/>: none).</param>
    public PacedConnection(ulong cookie, HandoverContainer container, ulong given)
    {
        (Cookie, Container, Given) = (cookie, container, given);
        Share = given == PacingEntry.Unlimited ? double.MaxValue : given;
        container.CountPaced(+1);
    }

    public ulong Cookie { get; }

    public HandoverContainer Container { get; }

    /// <summary>What it was given last.</summary>
    public ulong Given { get; set; }

    /// <summary>Bytes a second that it may send.</summary>
    public double Share { get; set; }

    /// <summary>Bytes a second that it has sent between the last two passes.</summary>
    public double Used { get; private set; }

    /// <summary>Passes in a row that it was not there in.</summary>
    public int Missed { get; private set; }

    /// <summary>Whether it has a share.</summary>
    public bool Counts { get; private set; } = true;

    /// <param name="sent">Bytes since its beginning; null: it is not there.</param>
    /// <param name="seconds">Since the last pass.</param>
    public void Saw(ulong? sent, double seconds)
    {
        if (sent is not { } bytes)
        {
            (Used, Missed) = (0, Missed + 1);
            if (Missed >= MissedWhenItIsGone)
                Leave();
            return;
        }

        // Of one that was running before it was limited nothing is known of when it sent what.
        Used = _wasThere ? (bytes - Math.Min(_sent, bytes)) / seconds : 0;
        (_sent, Missed, _wasThere) = (bytes, 0, true);
        if (Counts)
            return;
        Counts = true;
        Container.CountPaced(+1);
    }

    public void Leave()
    {
        if (!Counts)
            return;
        Counts = false;
        Container.CountPaced(-1);
    }
}
