using System.Net.Sockets;
using System.Text.Json;

namespace Freeflow.Router.Control;

/// <summary>
/// The operator's socket, root's alone. A client says one line, a <see cref="ControlRequest"/>, and is told one
/// <see cref="ControlAnswer"/>, whereupon it is closed. Several are served at once; each has a bound for what it says, for the answer and
/// for reading that.
/// </summary>
public sealed class ControlSocket : IDisposable
{
    /// <summary>At once; others wait to be accepted.</summary>
    public const int MaximumClients = 16;

    private static readonly TimeSpan s_afterAFailure = TimeSpan.FromMilliseconds(100);

    private const string Ending = ".control";

    private static readonly byte[] s_nothing = [(byte)'\n'];

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly SemaphoreSlim _room = new(MaximumClients);
    private readonly CancellationTokenSource _stop = new();
    private readonly IControlAnswers _answers;
    private readonly ControlBounds _bounds;
    private readonly string _path;

    /// <param name="path">Where; its folder is made for root alone if there is none.</param>
    /// <param name="answers">What is answered.</param>
    /// <param name="bounds">How long a client may take.</param>
    public ControlSocket(string path, IControlAnswers answers, ControlBounds bounds)
    {
        (_path, _answers, _bounds) = (path, answers, bounds);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Delete(_path);
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _listener.Listen(512);
        _ = AcceptAsync();
    }

    public static string PathOf(string directory, string name) => Path.Combine(directory, name + Ending);

    /// <summary>The routers that have, or had, a socket there.</summary>
    public static IEnumerable<string> NamesIn(string directory) =>
        Directory.GetFiles(directory, "*" + Ending).Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal);

    public void Dispose()
    {
        if (_stop.IsCancellationRequested)
            return;
        _stop.Cancel();
        _listener.Dispose();
        File.Delete(_path);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _room.WaitAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                _ = ServeAsync(await _listener.AcceptAsync(_stop.Token));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // No descriptors for another one, perhaps: that may pass.
                _room.Release();
                if (!_stop.IsCancellationRequested)
                    await Task.Delay(s_afterAFailure);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using (client)
            {
                var answer = await AnswerAsync(client);
                if (answer.Answer is ControlStream stream)
                {
                    await TellAsync(client, stream);
                    return;
                }

                using var bound = Bound(_bounds.Reading);
                await SendAsync(client, JsonSerializer.SerializeToUtf8Bytes(answer), bound.Token);
                await LingerAsync(client, bound.Token);
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It is gone, or does not read.
        }
        finally
        {
            _room.Release();
        }
    }

    /// <summary>Tells the parts of a stream as they come; in between empty lines, since only by writing is it seen that the client has gone.</summary>
    private async Task TellAsync(Socket client, ControlStream stream)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        await using var parts = stream.Parts.GetAsyncEnumerator(gone.Token);
        var next = parts.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> line = s_nothing;
                if (await Task.WhenAny(next, Task.Delay(_bounds.Heartbeat, gone.Token)) == next)
                {
                    if (await PartAsync(parts, next) is not { } part)
                        return;
                    line = (byte[])[.. JsonSerializer.SerializeToUtf8Bytes(part), .. s_nothing];
                    next = part.Error is null ? parts.MoveNextAsync().AsTask() : Task.FromResult(false);
                }

                using var bound = Bound(_bounds.Reading);
                await SendAsync(client, line, bound.Token);
            }
        }
        finally
        {
            gone.Cancel();
            await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Null at the end.</summary>
    private static async Task<ControlAnswer?> PartAsync(IAsyncEnumerator<object> parts, Task<bool> next)
    {
        try
        {
            return await next ? ControlAnswer.Of(parts.Current) : null;
        }
        catch (Exception problem) when (problem is not (OperationCanceledException or OutOfMemoryException))
        {
            return ControlAnswer.Refusal(problem is ControlException ? problem.Message : Defect(problem));
        }
    }

    private static string Defect(Exception defect) => $"a defect in the router: {defect.GetType().Name}";

    private static async Task SendAsync(Socket client, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (bytes.Length > 0)
            bytes = bytes[await client.SendAsync(bytes, stop)..];
    }

    /// <summary>What a client gets: always something, and never more of a defect than that there is one.</summary>
    private async Task<ControlAnswer> AnswerAsync(Socket client)
    {
        try
        {
            ControlRequest request;
            using (var bound = Bound(_bounds.Saying))
                request = await ControlRequest.ReadAsync(client, bound.Token);
            using var answering = Bound(_bounds.Answering);
            return ControlAnswer.Of(await _answers.AnswerAsync(request, answering.Token).WaitAsync(answering.Token));
        }
        catch (ControlException refused)
        {
            return ControlAnswer.Refusal(refused.Message);
        }
        catch (Exception late) when (late is OperationCanceledException or TimeoutException)
        {
            return ControlAnswer.Refusal("it took too long");
        }
        catch (Exception defect) when (defect is not (SocketException or ObjectDisposedException or OutOfMemoryException))
        {
            return ControlAnswer.Refusal(Defect(defect));
        }
    }

    /// <summary>Unread bytes would turn the close into a reset that takes the answer with it, so what else is said is read and dropped.</summary>
    private static async Task LingerAsync(Socket client, CancellationToken stop)
    {
        client.Shutdown(SocketShutdown.Send);
        var waste = new byte[4096];
        while (await client.ReceiveAsync(waste, stop) > 0)
        {
        }
    }

    private CancellationTokenSource Bound(TimeSpan time)
    {
        var bound = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        bound.CancelAfter(time);
        return bound;
    }
}
