namespace Freeflow.Lab;

/// <summary>Something did not come within its bound.</summary>
public sealed class LateException(string message) : LabException(message);
