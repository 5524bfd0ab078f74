namespace Freeflow.Verbs.Testbed;

/// <summary>Two applications whose RC QPs are connected, on one engine or on two.</summary>
public sealed class EnginePair : IDisposable
{
    public EnginePair(EngineSite one, EngineSite other, byte timeout = 14, byte retries = 7, byte rnrRetries = 7)
    {
        One = new EngineApplication(one, "10.0.0.1");
        Other = new EngineApplication(other, "10.0.0.2");
        EngineApplication.Connect(One, Other, timeout, retries, rnrRetries);
    }

    public EngineApplication One { get; }

    public EngineApplication Other { get; }

    public void Dispose()
    {
        One.Dispose();
        Other.Dispose();
    }
}
