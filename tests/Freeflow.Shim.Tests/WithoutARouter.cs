using System.Net.Sockets;
using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Channel;

namespace Freeflow.Shim.Tests;

/// <summary>Without a router that serves it, a program sees no device, and one line says why.</summary>
public sealed class WithoutARouter : IDisposable
{
    private const ProtocolType Any = ProtocolType.Unspecified;

    private readonly DirectoryInfo _freeflow = Directory.CreateTempSubdirectory("freeflow");

    private string SocketPath => Path.Combine(_freeflow.FullName, "run", "default.sock");

    public void Dispose() => _freeflow.Delete(recursive: true);

    [Fact]
    public void NobodyListens()
    {
        var result = Shim.Run(_freeflow.FullName, "ibv_devices");
        MustSeeNoDevice(result);
        Assert.Contains($"; {_freeflow.FullName}/run can't be read (No such file or directory): is the router's directory mounted here", result.Errors);
    }

    [Fact]
    public void AnotherNameThanThoseThatAreThere()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!);
        // What is no router's name, or no socket's, is nobody's business: anybody may have put it there.
        foreach (var name in new[] { "router1.sock", "router-2.sock", "default.sock", ".router3.link", "notes", "\u001b[31m.sock", ".sock" })
            File.WriteAllText(Path.Combine(_freeflow.FullName, "run", name), "");
        var result = Shim.Run(_freeflow.FullName, "env", "FFR_NAME=router9", "ibv_devices");
        MustSeeNoDevice(result);
        Assert.Matches(@"run/router9\.sock \(No such file or directory\); the routers here: (router1, router-2|router-2, router1)\n", result.Errors);
    }

    [Fact]
    public void NoneIsThere()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!);
        var result = Shim.Run(_freeflow.FullName, "ibv_devices");
        MustSeeNoDevice(result);
        Assert.Contains($"; no router has its socket in {_freeflow.FullName}/run\n", result.Errors);
    }

    [Theory]
    [InlineData("FFR_ID=c1", "freeflow: FFR_ID is not needed, and ignored", true)]
    [InlineData("FFR_ID=", "freeflow: FFR_ID", false)]
    [InlineData("VNET_PREFIX=", "freeflow: VNET_PREFIX is not set", true)]
    [InlineData("VNET_PREFIX=10.244.0.0/16", "freeflow: VNET_PREFIX", false)]
    [InlineData("VNET_PREFIX=everything", "freeflow: VNET_PREFIX: \"everything\" is no network such as 10.244.0.0/16", true)]
    public void WhatIsWrongOrNotNeededIsTold(string setting, string line, bool isTold)
    {
        var (name, value) = (setting[..setting.IndexOf('=')], setting[(setting.IndexOf('=') + 1)..]);
        var result = Shell.Run(
            TimeSpan.FromSeconds(30), new Dictionary<string, string> { ["LD_PRELOAD"] = Shim.Library, ["FREEFLOW_LOG"] = "debug", [name] = value }, "true");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(isTold, result.Errors.Contains(line, StringComparison.Ordinal));
    }

    [Fact]
    public void TheRouterDied()
    {
        // What a killed router leaves refuses connections, as any other file does.
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!);
        File.WriteAllText(SocketPath, "");
        MustSeeNoDevice(Shim.Run(_freeflow.FullName, "ibv_devices"));
    }

    [Fact]
    public void TheRouterSaysNothing()
    {
        using var listener = Listen();
        var from = DateTime.UtcNow;
        MustSeeNoDevice(Shim.Run(_freeflow.FullName, "ibv_devices"));
        Assert.True(DateTime.UtcNow - from < TimeSpan.FromSeconds(20), "the hello has a bound");
    }

    [Fact]
    public async Task TheRouterSpeaksAnotherVersion()
    {
        using var listener = Listen();
        var serving = Task.Run(() => AnswerHello(listener, errno: 93, version: 7));
        var result = Shim.Run(_freeflow.FullName, "ibv_devices");
        MustSeeNoDevice(result);
        Assert.Contains("7", result.Errors);
        listener.Close();
        await serving;
    }

    [Fact]
    public async Task TheRouterAnswersGarbage()
    {
        using var listener = Listen();
        var serving = Task.Run(() => Serve(listener, (client, _) => client.Send(new byte[300])));
        MustSeeNoDevice(Shim.Run(_freeflow.FullName, "ibv_devices"));
        listener.Close();
        await serving;
    }

    private static void MustSeeNoDevice(ProgramResult result)
    {
        // Just what it says and returns on a machine without RDMA; and our one line, since it was asked for.
        var plain = Shell.Run(TimeSpan.FromSeconds(30), null, "ibv_devices");
        Assert.Equal((plain.ExitCode, plain.Output), (result.ExitCode, result.Output));
        Assert.Matches("(?m)^freeflow: no RDMA device: ", result.Errors);
    }

    private Socket Listen()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!);
        var listener = new Socket(AddressFamily.Unix, SocketType.Seqpacket, Any);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen(8);
        return listener;
    }

    private static void AnswerHello(Socket listener, int errno, uint version) => Serve(listener, (client, request) =>
    {
        var payload = new ShimHelloReply { Version = version };
        var header = new ShimHeader
        {
            Magic = ShimProtocol.Magic,
            Type = ShimMessageType.Hello,
            Sequence = MemoryMarshal.Read<ShimHeader>(request).Sequence,
            Length = (uint)Marshal.SizeOf<ShimHelloReply>(),
            Error = errno,
            DescriptorPatch = ShimProtocol.NoDescriptor,
        };
        client.Send([.. Bytes(header), .. Bytes(payload)]);
    });

    private static void Serve(Socket listener, Action<Socket, byte[]> answer)
    {
        try
        {
            while (true)
            {
                using var client = listener.Accept();
                var request = new byte[ShimProtocol.MaximumMessage];
                client.Receive(request);
                answer(client, request);
            }
        }
        catch (SocketException)
        {
            // Closed: the test is over.
        }
    }

    private static byte[] Bytes<T>(T value)
        where T : struct => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();
}
