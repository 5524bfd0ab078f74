namespace Freeflow.Fuzz;

/// <summary>The router did what it must not.</summary>
public sealed class FindingException(string message) : Exception(message);
