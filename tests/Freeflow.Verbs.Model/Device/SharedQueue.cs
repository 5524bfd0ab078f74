namespace Freeflow.Verbs.Model.Device;

/// <summary>An SRQ.</summary>
public sealed class SharedQueue(string name, string domain, int receives, int maximumSges)
{
    public string Name { get; } = name;

    public string Domain { get; } = domain;

    public int Capacity { get; } = QueuePair.RingOf(receives);

    public int MaximumSges { get; } = maximumSges;

    public Queue<ReceiveRequest> Receives { get; } = new();

    public int Users { get; set; }
}
