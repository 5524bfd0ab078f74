using System.Text.Json;

namespace Freeflow.Router.Control;

/// <summary>What a client of the control socket is told: one of the two.</summary>
/// <param name="Answer">What it has asked for.</param>
/// <param name="Error">Why it does not get that.</param>
public sealed record ControlAnswer(object? Answer, string? Error)
{
    public static ControlAnswer Of(object answer) => new(answer, null);

    public static ControlAnswer Refusal(string error) => new(null, error);

    /// <summary>As the client reads it. Throws <see cref="ControlException"/> with the router's refusal, or for what is no answer.</summary>
    public static JsonElement Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var answer = JsonDocument.Parse(bytes).RootElement;
            if (answer.TryGetProperty(nameof(Error), out var error) && error.ValueKind == JsonValueKind.String)
                throw new ControlException(error.GetString()!);
            return answer.GetProperty(nameof(Answer));
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ControlException("what it says is no answer");
        }
    }
}
