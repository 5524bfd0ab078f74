using Freeflow.Actors.Connections;

namespace Freeflow.Actors.Tests.Connections;

public sealed class HandlesAreTheLowestThatAreFree
{
    [Fact]
    public void AFreedHandleIsGivenAgain()
    {
        var table = new HandleTable<string>(3);
        Assert.Equal([0u, 1u, 2u], new[] { table.Add("a"), table.Add("b"), table.Add("c") });
        Assert.False(table.HasRoom);
        table.Remove(1);
        Assert.True(table.HasRoom);
        Assert.Equal(1u, table.NextHandle);
        Assert.Equal(1u, table.Add("d"));
        Assert.True(table.TryGet(1, out var item) && item == "d");
    }

    [Fact]
    public void AContainersConnectionsShareItsQuota()
    {
        var quota = new QuotaCount(3);
        HandleTable<string> one = new(3, quota), other = new(3, quota);
        one.Add("a");
        other.Add("b");
        other.Add("c");
        Assert.False(one.HasRoom || other.HasRoom);
        other.Abandon();
        one.Add("d");
        Assert.True(one.HasRoom);
        one.Remove(0);
        one.Remove(1);
        Assert.True(new HandleTable<string>(3, quota).HasRoom);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(uint.MaxValue)]
    public void AHandleThatNobodyHasIsNotFound(uint handle)
    {
        var table = new HandleTable<string>(3);
        table.Add("a");
        Assert.False(table.TryGet(handle, out _));
    }
}
