using System.Text;

namespace Freeflow.Lab;

/// <summary>What a program writes to one of its outputs, read as it comes.</summary>
internal sealed class SpokenText
{
    private readonly StringBuilder _text = new();
    private readonly Task _reading;

    public SpokenText(StreamReader from) => _reading = ReadAsync(from);

    public string SoFar
    {
        get
        {
            lock (_text)
                return _text.ToString();
        }
    }

    /// <summary>All of it, or what has come within the bound where something keeps the other end open.</summary>
    public string WholeWithin(TimeSpan bound)
    {
        _reading.Wait(bound);
        return SoFar;
    }

    private async Task ReadAsync(StreamReader from)
    {
        var some = new char[4096];
        while (await from.ReadAsync(some).ConfigureAwait(false) is > 0 and var count)
        {
            lock (_text)
                _text.Append(some, 0, count);
        }
    }
}
