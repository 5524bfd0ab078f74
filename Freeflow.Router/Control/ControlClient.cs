using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Freeflow.Router.Control;

/// <summary>The command's side of the control socket.</summary>
public static class ControlClient
{
    private const int MaximumAnswer = 256 << 20;

    /// <summary>
    /// Throws <see cref="ControlException"/> with what the router refuses, or with the line that says that none answers at
    /// <paramref name="path"/>.
    /// </summary>
    public static async Task<JsonElement> AskAsync(string path, ControlRequest request, TimeSpan within, CancellationToken stop)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stop);
        bound.CancelAfter(within);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), bound.Token);
            using var stream = new NetworkStream(socket);
            await stream.WriteAsync(request.ToLine(), bound.Token);
            socket.Shutdown(SocketShutdown.Send);
            return ControlAnswer.Read(await ReadAsync(stream, bound.Token));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new ControlException($"no router answers at {path} within {within.TotalSeconds} s");
        }
        catch (Exception error) when (error is SocketException or IOException or ArgumentException)
        {
            throw NoAnswer(path, error);
        }
    }

    /// <summary>
    /// Asks for what is told as it happens. Ends when the router has told everything; throws <see cref="ControlException"/> as
    /// <see cref="AskAsync"/> does, and when nothing, not even an empty line, has come within <paramref name="silence"/>.
    /// </summary>
    public static async IAsyncEnumerable<JsonElement> FollowAsync(
        string path, ControlRequest request, TimeSpan silence, [EnumeratorCancellation] CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        StreamReader? lines = null;
        try
        {
            while (await NextLineAsync() is { } line)
            {
                if (line.Length > 0)
                    yield return ControlAnswer.Read(Encoding.UTF8.GetBytes(line));
            }
        }
        finally
        {
            lines?.Dispose();
        }

        async Task<string?> NextLineAsync()
        {
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(stop);
            bound.CancelAfter(silence);
            try
            {
                if (lines is null)
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), bound.Token);
                    var stream = new NetworkStream(socket);
                    lines = new StreamReader(stream, Encoding.UTF8);
                    await stream.WriteAsync(request.ToLine(), bound.Token);
                }

                return await lines.ReadLineAsync(bound.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new ControlException($"no router answers at {path} within {silence.TotalSeconds} s");
            }
            catch (Exception error) when (error is SocketException or IOException or ArgumentException)
            {
                throw NoAnswer(path, error);
            }
        }
    }

    private static ControlException NoAnswer(string path, Exception why) => new($"no router answers at {path}: {why.Message.ReplaceLineEndings(" ")}{Others(path)}");

    /// <summary>Which routers there are where one was looked for that is not: the name may be wrong.</summary>
    private static string Others(string path)
    {
        try
        {
            var names = ControlSocket.NamesIn(Path.GetDirectoryName(path) ?? "").Where(name => name != Path.GetFileNameWithoutExtension(path)).ToList();
            return File.Exists(path) || names.Count == 0 ? "" : $"; there {(names.Count == 1 ? "is" : "are")} {string.Join(", ", names)} (FFR_NAME)";
        }
        catch (Exception unseen) when (unseen is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "";
        }
    }

    private static async Task<byte[]> ReadAsync(NetworkStream stream, CancellationToken stop)
    {
        using var answer = new MemoryStream();
        var part = new byte[64 << 10];
        while (await stream.ReadAsync(part, stop) is > 0 and var got)
        {
            if (answer.Length + got > MaximumAnswer)
                throw new ControlException($"the router's answer has more than {MaximumAnswer >> 20} MiB");
            answer.Write(part, 0, got);
        }

        return answer.Length > 0 ? answer.ToArray() : throw new IOException("it has closed without a word");
    }
}
