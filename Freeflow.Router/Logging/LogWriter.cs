using System.Text;

namespace Freeflow.Router.Logging;

/// <summary>
/// A standard stream for a process that outlives the room for its log: text that can't be written, on a full disk say, is lost and counted.
/// Nobody who writes sees an error. Not for several threads at once; <see cref="Console.SetOut"/> sees to that.
/// </summary>
public sealed class LogWriter(Stream stream, Action<long> roomAgain) : TextWriter
{
    private long _lost;
    private long _untold;
    private bool _isTorn;

    /// <summary>Lines that could not be written since the start. Any thread.</summary>
    public long LinesLost => Volatile.Read(ref _lost);

    public override Encoding Encoding { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    public override void Write(char value) => Write([value]);

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(ReadOnlySpan<char> buffer)
    {
        // What was written of the last one before the room ended is a line without an end.
        var bytes = Encoding.GetBytes(_isTorn ? $"{Environment.NewLine}{buffer}" : buffer.ToString());
        try
        {
            stream.Write(bytes);
            stream.Flush();
        }
        catch (IOException)
        {
            var lines = Math.Max(buffer.Count('\n'), 1);
            Volatile.Write(ref _lost, _lost + lines);
            _untold += lines;
            _isTorn = true;
            return;
        }

        _isTorn = false;
        if (_untold == 0)
            return;
        var untold = _untold;
        _untold = 0;
        roomAgain(untold);
    }
}
