using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Channel;

/// <summary>
/// A descriptor for an application that is readable exactly while something waits: a socket pair, in whose one direction a
/// single byte lies, or none. What waits is fetched by another way. When the router is gone, it hangs up.
/// </summary>
public sealed class ReadinessSignal : IDisposable
{
    private readonly SafeFileHandle _ours;
    private readonly Lock _gate = new();
    private bool _isSet;
    private bool _isClosed;

    private ReadinessSignal(SafeFileHandle ours, SafeFileHandle theirs)
    {
        _ours = ours;
        ApplicationEnd = theirs;
        Identity = FileIdentity.Of(theirs);
    }

    /// <summary>The end to hand out; blocking, as a device that was opened is.</summary>
    public SafeFileHandle ApplicationEnd { get; }

    /// <summary>By it a descriptor that a process passes is known again.</summary>
    public FileIdentity Identity { get; }

    public static ReadinessSignal Create()
    {
        var (ours, theirs) = UnixSocket.StreamPair();
        return new ReadinessSignal(ours, theirs);
    }

    /// <summary>
    /// Makes it readable, or not; nothing once it is disposed. A byte that the application has taken itself is put back with
    /// the next change. Any thread.
    /// </summary>
    public void Set(bool isReady)
    {
        lock (_gate)
        {
            if (isReady == _isSet || _isClosed)
                return;
            _isSet = isReady;
            if (isReady)
            {
                UnixSocket.Send(_ours, [1], []);
                return;
            }

            var taken = GC.AllocateUninitializedArray<byte>(1, pinned: true);
            StreamSocket.ReceiveVector(ApplicationEnd, [IoVector.Of(taken.AsSpan())]);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            _ours.Dispose();
            ApplicationEnd.Dispose();
        }
    }
}
