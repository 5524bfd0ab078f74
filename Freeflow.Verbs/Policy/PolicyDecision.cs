namespace Freeflow.Verbs.Policy;

/// <summary>Whether somebody may, and by what.</summary>
public readonly record struct PolicyDecision(bool Allowed, string Reason);
