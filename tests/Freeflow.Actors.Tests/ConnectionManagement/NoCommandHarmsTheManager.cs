using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using Akka.Actor;
using Akka.TestKit;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Policy;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Tests.ConnectionManagement;

/// <summary>
/// Commands of random kinds, lengths and contents, with ids and addresses in them that are often right, from two processes of
/// one container: each is answered, and neither the manager nor an id fails.
/// </summary>
public sealed class NoCommandHarmsTheManager : ActorTest
{
    private const int Commands = 20_000;
    private static readonly IPAddress s_own = IPAddress.Parse("10.244.1.11");

    private readonly AddressBook _book = new();

    public NoCommandHarmsTheManager()
        : base("akka.loglevel = OFF")
    {
        _book.SetOwner(TenantAddress.Of(Tenant.Default, Gid.FromAddress(s_own)), "node");
        _book.ReachOwn("node");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void WhateverItIs(int seed)
    {
        var random = new Random(seed);
        var exchange = Sys.ActorOf(ExchangeActor.Props(_book));
        var plane = new ControlPlane(
            null!, _book, ActorRefs.Nobody, new NumberAllocator(), null!, new ConnectionLimits { CommunicationIds = 64 }, null!, null!, false, exchange, new ConnectionCounters(), null!, new PolicyInForce(AccessPolicy.Open));
        var device = ContainerDevice.Of(Tenant.Default, [new InterfaceAddress(s_own, 24, "eth0", 2, true, 1500, PhysicalAddress.None)]);
        var manager = Sys.ActorOf(ConnectionManagerActor.Props(plane, device));
        manager.Tell(new ConnectionManagerProtocol.Serve([Gid.FromAddress(s_own)]));
        Watch(manager);
        using var one = ReadinessSignal.Create();
        using var other = ReadinessSignal.Create();
        (TestProbe Probe, ReadinessSignal Signal)[] processes = [(CreateTestProbe(), one), (CreateTestProbe(), other)];
        foreach (var (probe, signal) in processes)
            manager.Tell(new ConnectionManagerProtocol.Open(signal), probe);

        var answered = new int[256];
        for (var i = 0; i < Commands; i++)
        {
            var (probe, _) = processes[random.Next(processes.Length)];
            if (RdmaCmCall.TryParse(Command(random)) is not { } call)
                continue;
            manager.Tell(new ConnectionManagerProtocol.Call(call, processes[random.Next(processes.Length)].Signal.Identity), probe);
            // Not Broken: no id has failed.
            answered[probe.ExpectMsg<ConnectionProtocol.Answer>().Errno]++;
        }

        ExpectNoMsg(TimeSpan.FromMilliseconds(100));
        Assert.True(answered[0] > Commands / 100, $"only {answered[0]} of the commands were right");
        Assert.True(answered.Count(count => count > 0) > 4, "the commands were wrong in too few ways");
    }

    private static byte[] Command(Random random)
    {
        var number = (RdmaCmCommand)random.Next((int)RdmaCmCommand.JoinMcast + 1);
        var body = new byte[random.Next(10) == 0 ? random.Next(320) : 320];
        if (random.Next(4) == 0)
            random.NextBytes(body);
        // Wherever a command has its id, a small number is a likely one; and wherever it has an address, the container's own.
        foreach (var offset in new[] { 0, 8, 16, 36, 44, 56, 272, 280 })
        {
            if (offset + sizeof(uint) <= body.Length && random.Next(8) > 0)
                BitConverter.TryWriteBytes(body.AsSpan(offset), random.Next(12));
        }

        foreach (var offset in new[] { 8, 16, 28, 144 })
        {
            if (offset + 16 <= body.Length && random.Next(3) == 0)
                new RdmaAddress(RdmaAddressFamily.Inet, Gid.FromAddress(s_own), (ulong)random.Next(7000, 7004), 0, 0).CopyTo(body.AsSpan(offset));
        }

        Shape(number, body, random);
        var bytes = new byte[8 + body.Length];
        MemoryMarshal.Write(bytes, new RdmaCmHeader { Cmd = number, In = (ushort)body.Length, Out = (ushort)(random.Next(8) == 0 ? random.Next(512) : 512) });
        body.CopyTo(bytes, 8);
        return bytes;
    }

    /// <summary>What a command must have to be more than refused at once.</summary>
    private static void Shape(RdmaCmCommand number, byte[] body, Random random)
    {
        if (body.Length < 320 || random.Next(4) == 0)
            return;
        switch (number)
        {
            case RdmaCmCommand.CreateId:
                BitConverter.TryWriteBytes(body, 1L + random.Next(3));
                BitConverter.TryWriteBytes(body.AsSpan(16), (ushort)new[] { PortSpace.Tcp, PortSpace.Udp, PortSpace.Ib }[random.Next(3)]);
                body[18] = 2;
                break;
            case RdmaCmCommand.Bind:
                BitConverter.TryWriteBytes(body.AsSpan(4), 16);
                break;
            case RdmaCmCommand.ResolveAddr:
                BitConverter.TryWriteBytes(body.AsSpan(4), 5);
                BitConverter.TryWriteBytes(body.AsSpan(8), 16 << 16);
                body.AsSpan(12, 132).Clear();
                new RdmaAddress(RdmaAddressFamily.Inet, Gid.FromAddress(s_own), (ulong)random.Next(7000, 7004), 0, 0).CopyTo(body.AsSpan(144));
                break;
            case RdmaCmCommand.ResolveRoute:
                body[4] = 1;
                break;
            case RdmaCmCommand.Connect:
                body.AsSpan(264, 8).Clear();
                body[271] = 1;
                break;
        }
    }
}
