namespace Freeflow.Verbs.Model.Device;

/// <summary>A posted receive.</summary>
public sealed record ReceiveRequest(int Id, IReadOnlyList<Part> Parts);
