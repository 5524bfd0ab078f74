using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>Whoever has been told a key may use it at once, however busy the engine is with others.</summary>
public sealed class RegionsAreThereWhenTheyAreSaid : IDisposable
{
    private const uint FirstKey = 0x7f000000;
    private const int Bytes = 1 << 19;

    private readonly EngineSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void InTheMidstOfItsWork()
    {
        using var one = new EngineApplication(_site, "10.0.0.3", Bytes);
        using var other = new EngineApplication(_site, "10.0.0.4", Bytes);
        EngineApplication.Connect(one, other);
        for (var i = 0u; i < 300; i++)
        {
            // The engine is at this queue pair when the next request comes.
            one.Post(WorkRequestOpcode.RdmaWrite, 0, Bytes, other, flags: SendFlags.None);
            var region = new EngineMemoryRegion(one.Connection, FirstKey + i, FirstKey + i, 1, one.Address, one.Region.Memory, AccessFlags.LocalWrite);
            EngineApplication.Ask<bool>(told => _site.Engine.Add(region, () => told(true)));
            Assert.Equal(WorkCompletionStatus.Success, Write(one, other, region.LocalKey));
        }
    }

    private static WorkCompletionStatus Write(EngineApplication from, EngineApplication to, uint key)
    {
        var entry = new ScatterGatherEntry { Address = from.Address, Length = 8, LocalKey = key };
        var head = new SendWqeHead
        {
            Opcode = WorkRequestOpcode.RdmaWrite,
            Flags = SendFlags.Signaled,
            RemoteAddress = to.Address,
            RdmaRemoteKey = to.Key,
            Length = 8,
            SgeCount = 1,
        };
        from.Post(head, new ReadOnlySpan<ScatterGatherEntry>(in entry));
        from.Ring();
        return from.Take().Status;
    }
}
