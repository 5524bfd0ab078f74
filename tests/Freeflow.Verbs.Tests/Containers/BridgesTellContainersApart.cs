using System.Diagnostics;
using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Containers;

/// <summary>A host and its containers, each a network namespace.</summary>
[Trait("Tier", "Loop")]
public sealed class BridgesTellContainersApart : IDisposable
{
    private const int HostEnd = 77;

    private readonly List<Process> _holders = [];
    private readonly Process _host;

    public BridgesTellContainersApart()
    {
        _host = NewNamespace();
        In(_host, "link add br-blue type bridge");
        In(_host, "link add br-green type bridge");
    }

    public void Dispose()
    {
        foreach (var holder in _holders)
        {
            holder.Kill();
            holder.Dispose();
        }
    }

    [Fact]
    public void ByTheInterfaceThatIsAttached()
    {
        var (blue, green) = (NewNamespace(), NewNamespace());
        Attach(blue, "br-blue", HostEnd, 5);
        Attach(green, "br-green", HostEnd + 1, 5);
        Assert.Equal(new() { [5] = "br-blue" }, BridgesOf(blue));
        Assert.Equal(new() { [5] = "br-green" }, BridgesOf(green));
    }

    [Fact]
    public void ByEachWhereThereAreSeveral()
    {
        var container = NewNamespace();
        Attach(container, "br-blue", HostEnd, 5);
        Attach(container, "br-green", HostEnd + 1, 6);
        Assert.Equal(new() { [5] = "br-blue", [6] = "br-green" }, BridgesOf(container));
    }

    [Fact]
    public void NotByAnInterfaceThatIsAttachedToNone()
    {
        var container = NewNamespace();
        In(_host, $"link add v{HostEnd} index {HostEnd} type veth peer name eth0 index 5 netns {container.Id}");
        Assert.Empty(BridgesOf(container));
        Assert.Empty(BridgesOf(NewNamespace()));
    }

    /// <summary>Whoever may make a user namespace may make interfaces with any index.</summary>
    [Fact]
    public void NotByWhatAContainerHasMadeItself()
    {
        var (blue, liar, accomplice) = (NewNamespace(), NewNamespace(), NewNamespace());
        Attach(blue, "br-blue", HostEnd, 5);
        In(liar, $"link add eth0 index 5 type veth peer name v index {HostEnd} netns {accomplice.Id}");
        In(accomplice, "link add br-blue type bridge");
        In(accomplice, "link set v master br-blue");
        Assert.Empty(BridgesOf(liar));
        Assert.Equal(new() { [5] = "br-blue" }, BridgesOf(blue));
    }

    private Dictionary<int, string> BridgesOf(Process container)
    {
        using var handle = File.OpenHandle($"/proc/{container.Id}/ns/net");
        using var host = File.OpenHandle($"/proc/{_host.Id}/ns/net");
        using var socket = Namespaces.RunIn(handle, () => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        using var @namespace = NetworkNamespace.OfSocket(socket.SafeHandle);
        return Namespaces.RunIn(host, () => HostBridges.Of(@namespace)).ToDictionary();
    }

    private void Attach(Process container, string bridge, int hostEnd, int end)
    {
        In(_host, $"link add v{hostEnd} index {hostEnd} type veth peer name eth{end} index {end} netns {container.Id}");
        In(_host, $"link set v{hostEnd} master {bridge}");
    }

    private static void In(Process holder, string arguments)
    {
        using var ip = Process.Start("nsenter", $"-t {holder.Id} -n ip {arguments}");
        ip.WaitForExit();
        Assert.Equal(0, ip.ExitCode);
    }

    private Process NewNamespace()
    {
        var holder = Process.Start("unshare", "--net sleep 60");
        _holders.Add(holder);
        WaitFor.That("a namespace", () => File.ReadAllText($"/proc/{holder.Id}/comm") == "sleep\n");
        return holder;
    }
}
