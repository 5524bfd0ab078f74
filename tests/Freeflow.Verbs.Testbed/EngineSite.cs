using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Freeflow.Lab;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Testbed;

/// <summary>An engine with what it has reported.</summary>
public sealed class EngineSite : IDisposable, IEngineEvents, IAddressResolver
{
    private readonly LinkCredential _credential = new(RandomNumberGenerator.GetBytes(32));
    private LinkListener? _listener;

    public EngineSite()
    {
        Engine = new VerbsEngine(new EngineOptions { RealTimePriority = 0 }, this, this);
        Engine.Start();
    }

    /// <summary>How long the engine may take to carry out a command.</summary>
    internal static TimeSpan AnswersWithin { get; } = WaitFor.Scaled(TimeSpan.FromSeconds(10));

    public VerbsEngine Engine { get; }

    public ConcurrentQueue<(uint QueuePair, QueuePairFault Fault)> Failures { get; } = new();

    /// <summary>Which peer has an address; what is not here has nobody.</summary>
    public ConcurrentDictionary<Gid, int> Owners { get; } = new();

    public ConcurrentQueue<string> News { get; } = new();

    /// <summary>How many links have come up so far.</summary>
    private int LinksUp => News.Count(news => news == "link up");

    /// <summary>Joins two engines by a data link over loopback; each is peer 0 of the other.</summary>
    public static async Task LinkAsync(EngineSite dialing, EngineSite accepting, bool encrypt = false)
    {
        var credential = accepting._credential;
        accepting._listener ??= new LinkListener(
            new IPEndPoint(IPAddress.Loopback, 0), "accepting", _ => credential, encrypt: false,
            (_, link) => accepting.Engine.AttachLink(0, link), accepting.News.Enqueue);
        var to = new IPEndPoint(IPAddress.Loopback, accepting._listener.Port);
        var (dialingBefore, acceptingBefore) = (dialing.LinksUp, accepting.LinksUp);
        var dialed = await LinkDialer.DialAsync(IPAddress.Loopback, to, "dialing", "accepting", LinkPurpose.Data, credential, encrypt, CancellationToken.None);
        dialing.Engine.AttachLink(0, dialed);
        await WaitFor.ThatAsync("the link at both ends", () => dialing.LinksUp > dialingBefore && accepting.LinksUp > acceptingBefore);
    }

    /// <summary>Waits until something was reported.</summary>
    public Task UntilAsync(string news) => WaitFor.ThatAsync($"\"{news}\"", () => News.Contains(news), () => string.Join(", ", News));

    /// <summary>Waits until the peer's engine has handled all that this engine sent it before: a ping follows it on the link, and the answer returns.</summary>
    public void SynchronizeWithPeer() =>
        WaitFor.That("room for a ping", () => EngineApplication.Ask<TimeSpan?>(done => Engine.Ping(0, done)) is not null);

    public void Dispose()
    {
        _listener?.Dispose();
        Engine.Dispose();
    }

    int IAddressResolver.Version => Owners.Count;

    int IAddressResolver.PeerOf(ulong tenant, in Gid address) => Owners.GetValueOrDefault(address, EngineQueuePair.NoPeer);

    void IEngineEvents.QueuePairFailed(EngineQueuePair queuePair, QueuePairFault fault) => Failures.Enqueue((queuePair.Number, fault));

    void IEngineEvents.CommunicationEstablished(EngineQueuePair queuePair) => News.Enqueue("established");

    void IEngineEvents.SendQueueDrained(EngineQueuePair queuePair) => News.Enqueue("drained");

    void IEngineEvents.CompletionQueueOverrun(EngineCompletionQueue completionQueue) => News.Enqueue("overrun");

    void IEngineEvents.SharedReceiveQueueLimit(EngineReceiveQueue queue) => News.Enqueue("limit");

    void IEngineEvents.LastReceiveTaken(EngineQueuePair queuePair) => News.Enqueue("last receive");

    void IEngineEvents.LinkUp(int peer) => News.Enqueue("link up");

    void IEngineEvents.LinkDown(int peer, string reason) => News.Enqueue("link down");
}
