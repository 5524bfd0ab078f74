using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Events;
using Freeflow.Lab;
using Freeflow.Router.Events;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Freeflow.Router.Tests.Events;

public sealed class EventsAreRecordedFromTheStart : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private readonly ActorSystem _system = ActorSystem.Create("events", "akka.loglevel = OFF");
    private readonly EventFeed _feed = new();

    public void Dispose() => _system.Terminate().Wait(WaitFor.Scaled(s_bound));

    /// <summary>The recorder itself may not run yet.</summary>
    [Fact]
    public void WhateverIsReportedRightAfterIt()
    {
        EventRecording.Start(_system, _feed, NullLogger.Instance);
        for (var i = 0; i < 10; i++)
            _system.Report(EventKind.ClusterOpen, "at once", ("number", i));
        MustHave(10);
        Assert.Equal(Enumerable.Range(0, 10).Select(number => $"{number}"), _feed.Newest(100).Select(each => each.Facts["number"]));
    }

    [Fact]
    public void AlsoOnceItWasStartedAgain()
    {
        EventRecording.Start(_system, _feed, new FullDisk());
        foreach (var text in (string[])["before", FullDisk.Fails, "after"])
            _system.Report(EventKind.ClusterOpen, text);
        MustHave(3);
        Assert.Equal(["before", FullDisk.Fails, "after"], _feed.Newest(100).Select(each => each.Text));
    }

    private void MustHave(int events) =>
        WaitFor.That($"{events} events", s_bound, () => _feed.Newest(100).Count >= events, () => $"{_feed.Newest(100).Count}");

    /// <summary>A log that fails once.</summary>
    private sealed class FullDisk : ILogger
    {
        public const string Fails = "no room for this";

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel level) => true;

        public void Log<TState>(Microsoft.Extensions.Logging.LogLevel level, EventId id, TState state, Exception? error, Func<TState, Exception?, string> text)
        {
            if (text(state, error) == Fails)
                throw new IOException("no space left on device");
        }
    }
}
