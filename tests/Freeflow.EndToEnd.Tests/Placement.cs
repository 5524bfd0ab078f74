namespace Freeflow.EndToEnd.Tests;

/// <summary>Where the two programs of a test run.</summary>
public enum Placement
{
    SameHost,
    AcrossHosts,
}
