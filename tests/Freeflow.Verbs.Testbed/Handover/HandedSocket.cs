using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>A host socket in an application's hands.</summary>
public sealed class HandedSocket : IDisposable
{
    private const int TcpLevel = 6;

    private static readonly int s_boundMilliseconds = (int)WaitFor.Scaled(TimeSpan.FromSeconds(10)).TotalMilliseconds;

    /// <param name="descriptor">Is taken over.</param>
    /// <param name="number">By which the router knows it; 0 for one that was accepted.</param>
    /// <param name="endpoint">Whom it may talk to.</param>
    internal HandedSocket(SafeFileHandle descriptor, uint number = 0, IPEndPoint? endpoint = null)
    {
        Number = number;
        Endpoint = endpoint;
        Socket = new Socket(new SafeSocketHandle(descriptor.DangerousGetHandle(), ownsHandle: true))
        {
            ReceiveTimeout = s_boundMilliseconds,
            SendTimeout = s_boundMilliseconds,
        };
        descriptor.SetHandleAsInvalid();
    }

    public uint Number { get; }

    public IPEndPoint? Endpoint { get; }

    public Socket Socket { get; }

    /// <summary>Its ends as the application sees them: what the socket itself says, as the shim reads it.</summary>
    public VirtualEnds Ends
    {
        get
        {
            Span<byte> bytes = stackalloc byte[Marshal.SizeOf<ShimEnds>()];
            if (Socket.GetRawSocketOption(TcpLevel, EndsOption.Option, bytes) != bytes.Length || MemoryMarshal.Read<ShimEnds>(bytes) is not { Mark: EndsOption.Mark } ends)
                throw new InvalidOperationException("the socket has no ends of ours");
            return new VirtualEnds(new Ipv4(ends.Local), ends.LocalPort, new Ipv4(ends.Peer), ends.PeerPort);
        }
    }

    /// <summary>Connects to the endpoint that came with it.</summary>
    public void Connect() => Socket.Connect(Endpoint!);

    public void Send(string text) => Socket.Send(System.Text.Encoding.ASCII.GetBytes(text));

    /// <summary>What comes next; "" at the end.</summary>
    public string Receive()
    {
        var bytes = new byte[4096];
        return System.Text.Encoding.ASCII.GetString(bytes, 0, Socket.Receive(bytes));
    }

    /// <summary>How the connection has ended: ConnectionReset, or Success for an orderly end.</summary>
    public SocketError AwaitEnd()
    {
        try
        {
            while (Receive().Length > 0)
            {
            }

            return SocketError.Success;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
    }

    public void Dispose() => Socket.Dispose();
}
