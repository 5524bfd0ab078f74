using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.RdmaCm;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>A network that loses three packets of a hundred, each way: everything is slower, and nothing is wrong.</summary>
[Trait("Tier", "All")]
public sealed class NetworksThatLosePackets(BreakableLab lab) : IDisposable, IClassFixture<BreakableLab>
{
    private const int Hundredths = 3;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(90);

    private readonly PacketFilter _first = new(lab, "h1", Hundredths);
    private readonly PacketFilter _second = new(lab, "h2", Hundredths);

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public void EveryByteIsRight()
    {
        using var traffic = new Bystanders(lab);
        WaitFor.That("a hundred packets lost, each way", s_bound, () => _first.Dropped >= 100 && _second.Dropped >= 100, () => $"{_first.Dropped} and {_second.Dropped}");
        traffic.MustBeWell();
    }

    [Theory]
    [InlineData("ib_send_bw -n 1000 -s 4096")]
    [InlineData("ib_write_bw -n 1000 -s 65536")]
    [InlineData("ib_read_lat -n 200")]
    public void ReliableConnectionsStay(string line) => new ProgramPair(lab, Placement.AcrossHosts).Run(s_bound, line.Split(' '));

    [Fact]
    public void RdmaCmConnects() =>
        new CmPair(lab, Placement.AcrossHosts).Run(s_bound, ["rping", "-s", "-v", "-C", "50"], ["rping", "-c", "-a", "ADDRESS", "-v", "-C", "50"]);
}
