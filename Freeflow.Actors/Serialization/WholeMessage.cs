namespace Freeflow.Actors.Serialization;

/// <summary>
/// A message's bytes, of which nothing may be missing: Hyperion takes what it finds in its buffer for what a message that is too short
/// does not have. Throws <see cref="EndOfStreamException"/> instead.
/// </summary>
internal sealed class WholeMessage(byte[] bytes) : MemoryStream(bytes, 0, bytes.Length, writable: false, publiclyVisible: true)
{
    /// <summary>What has not been read yet.</summary>
    public ReadOnlySpan<byte> Rest => GetBuffer().AsSpan((int)Position);

    public override int Read(byte[] buffer, int offset, int count) => All(base.Read(buffer, offset, count), count);

    public override int Read(Span<byte> buffer) => All(base.Read(buffer), buffer.Length);

    public override int ReadByte() => base.ReadByte() is var value and >= 0 ? value : throw new EndOfStreamException();

    private static int All(int got, int wanted) => got == wanted ? got : throw new EndOfStreamException();
}
