using System.Net.Sockets;
using System.Text.Json;

namespace Freeflow.Router.Control;

/// <summary>One line of JSON: {"Name": "qps", "Arguments": {"Limit": "100"}}, all texts.</summary>
public sealed record ControlRequest(string Name, IReadOnlyDictionary<string, string> Arguments)
{
    /// <summary>Of a line, its end included.</summary>
    public const int MaximumBytes = 1 << 20;

    private const int FewBytes = 4096;

    private const int MaximumArguments = 16;

    private static readonly JsonDocumentOptions s_shallow = new() { MaxDepth = 4 };

    public static ControlRequest Of(string name, params ReadOnlySpan<(string Key, string? Value)> arguments)
    {
        var given = new Dictionary<string, string>();
        foreach (var (key, value) in arguments)
        {
            if (value is not null)
                given.Add(key, value);
        }

        return new ControlRequest(name, given);
    }

    /// <summary>Null where there is none.</summary>
    public string? Text(string key) => Arguments.GetValueOrDefault(key);

    public int Number(string key, int otherwise, int least, int most) => Text(key) is not { } text
        ? otherwise
        : int.TryParse(text, out var number) && number >= least && number <= most
            ? number
            : throw new ControlException($"\"{key}\" has to be a whole number from {least} to {most}");

    public byte[] ToLine() => [.. JsonSerializer.SerializeToUtf8Bytes(this), (byte)'\n'];

    /// <summary>Throws <see cref="ControlException"/> for what is no request.</summary>
    public static ControlRequest Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line, s_shallow);
            var request = document.RootElement;
            if (request.ValueKind != JsonValueKind.Object || !request.TryGetProperty(nameof(Name), out var name) || name.GetString() is not { Length: > 0 } called)
                throw new ControlException("a request has a Name");
            var given = new Dictionary<string, string>();
            if (request.TryGetProperty(nameof(Arguments), out var arguments) && arguments.ValueKind != JsonValueKind.Null)
            {
                foreach (var argument in arguments.EnumerateObject())
                {
                    if (given.Count == MaximumArguments || argument.Value.GetString() is not { } value || !given.TryAdd(argument.Name, value))
                        throw new ControlException($"a request has at most {MaximumArguments} Arguments, each a text and once");
                }
            }

            return new ControlRequest(called, given);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new ControlException("a request is one line of JSON, {\"Name\": …, \"Arguments\": {…}}");
        }
    }

    /// <summary>Reads up to the end of the line, or of what the client says.</summary>
    internal static async Task<ControlRequest> ReadAsync(Socket client, CancellationToken stop)
    {
        var line = new byte[FewBytes];
        var have = 0;
        while (have < MaximumBytes)
        {
            if (have == line.Length)
                Array.Resize(ref line, Math.Min(2 * line.Length, MaximumBytes));
            int got;
            try
            {
                got = await client.ReceiveAsync(line.AsMemory(have), stop);
            }
            catch (OperationCanceledException)
            {
                throw new ControlException("no request came in time");
            }

            var end = Array.IndexOf(line, (byte)'\n', have, got);
            have += got;
            if (end >= 0 || got == 0)
                return Parse(line.AsMemory(0, end >= 0 ? end : have));
        }

        throw new ControlException($"a request has at most {MaximumBytes} bytes");
    }
}
