using Freeflow.EndToEnd.Tests.Fixtures;

namespace Freeflow.EndToEnd.Tests;

/// <summary>A lab of those that are kept for tests that end its routers and containers, or part them from each other: what they leave infects no other.</summary>
public sealed class BreakableLab() : LabFixture(LabPool.Breakable);
