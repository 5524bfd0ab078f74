using System.Diagnostics;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Tracing;

/// <summary>A control operation under way, if anybody wants to know of it; the default is one that nobody wants to know of. Any thread may end it.</summary>
public readonly struct ControlSpan(Activity? activity) : IDisposable
{
    /// <summary>What belongs below it: this one, or where it is not recorded what it would have belonged below.</summary>
    public ActivityContext Or(ActivityContext cause) => activity?.Context ?? cause;

    public ControlSpan With<T>(string name, T value)
    {
        if (activity is { IsAllDataRequested: true })
            activity.SetTag(name, value);
        return this;
    }

    /// <summary>It is over; an errno other than 0 is what came of it.</summary>
    public void End(int errno)
    {
        if (activity is null)
            return;
        if (errno != 0)
        {
            var name = Errno.NameOf(errno);
            activity.SetStatus(ActivityStatusCode.Error, name);
            activity.SetTag("error.type", name);
            activity.SetTag("freeflow.errno", errno);
        }

        activity.Stop();
    }

    public void Dispose() => End(0);
}
