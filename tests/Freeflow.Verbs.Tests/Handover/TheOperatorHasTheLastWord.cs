using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>tcp.acceleration, tcp.always and tcp.never</summary>
public sealed class TheOperatorHasTheLastWord
{
    private static readonly Destination s_port = new(Addresses.Of(HandoverPair.ServerAddress), 80);
    private static readonly Destination s_address = s_port with { Port = 0 };

    [Fact]
    public Task NeverIsNever() => JudgedAsync(PlainReason.Configured, options => options with { Mode = AccelerationMode.Never });

    [Fact]
    public Task ButForWhatIsListed() =>
        JudgedAsync(PlainReason.None, options => options with { Mode = AccelerationMode.Never, Always = new HashSet<Destination> { s_port } });

    [Fact]
    public Task ByItsAddress() =>
        JudgedAsync(PlainReason.None, options => options with { Mode = AccelerationMode.Never, Always = new HashSet<Destination> { s_address } });

    [Fact]
    public Task TheListOfNeverComesFirst() => JudgedAsync(PlainReason.Configured, options => options with
    {
        Always = new HashSet<Destination> { s_port },
        Never = new HashSet<Destination> { s_address },
    });

    [Fact]
    public Task AnotherPortIsNotMeant() =>
        JudgedAsync(PlainReason.None, options => options with { Never = new HashSet<Destination> { s_port with { Port = 81 } } });

    private static async Task JudgedAsync(PlainReason reason, Func<HandoverOptions, HandoverOptions> adjust)
    {
        using var pair = await HandoverPair.StartAsync(adjust);
        using var server = pair.Listen(s_port.Port);
        pair.Application.Await(pair.Application.Resolve(HandoverPair.ServerAddress, s_port.Port), reason);
    }
}
