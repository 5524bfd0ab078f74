using Freeflow.Router.Logging;

namespace Freeflow.Router.Tests.Logging;

/// <summary>A log on a full disk: nobody who writes fails, and what was lost is told when there is room again.</summary>
public sealed class WhatFindsNoRoomIsCounted
{
    private readonly FillingStream _disk = new();
    private readonly List<long> _told = [];
    private readonly LogWriter _log;

    public WhatFindsNoRoomIsCounted() => _log = new LogWriter(_disk, _told.Add);

    [Fact]
    public void NothingWhileThereIsRoom()
    {
        _log.Write("one\n");
        _log.Write('t');
        _log.Write("wo\n".ToCharArray(), 0, 3);
        Assert.Equal("one\ntwo\n", _disk.Text);
        Assert.Equal(0, _log.LinesLost);
        Assert.Empty(_told);
    }

    [Fact]
    public void ByLines()
    {
        _disk.Room = 3;
        _log.Write("one\ntwo\n");
        _log.Write("three\n");
        _log.Write("without an end");
        Assert.Equal(4, _log.LinesLost);
        Assert.Empty(_told);
        _disk.Room = int.MaxValue;
        _log.Write("four\n");
        _log.Write("five\n");
        Assert.Equal([4L], _told);
        Assert.Equal("one\nfour\nfive\n", _disk.Text);
    }

    [Fact]
    public void OfEachTimeForItself()
    {
        foreach (var lines in new[] { 1, 2 })
        {
            _disk.Room = 0;
            for (var line = 0; line < lines; line++)
                _log.Write("lost\n");
            _disk.Room = int.MaxValue;
            _log.Write("written\n");
        }

        Assert.Equal([1L, 2L], _told);
        Assert.Equal(3, _log.LinesLost);
    }

    /// <summary>Takes what there is room for, and fails then, as write(2) does.</summary>
    private sealed class FillingStream : MemoryStream
    {
        public int Room { get; set; } = int.MaxValue;

        public string Text => System.Text.Encoding.UTF8.GetString(ToArray());

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            var fits = Math.Min(buffer.Length, Room);
            base.Write(buffer[..fits]);
            Room -= fits;
            if (fits < buffer.Length)
                throw new IOException("No space left on device");
        }
    }
}
