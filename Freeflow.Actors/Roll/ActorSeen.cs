namespace Freeflow.Actors.Roll;

/// <summary>An actor as the operator sees it.</summary>
/// <param name="Path">Below /user, without a slash before it.</param>
/// <param name="Kind">What it stands for: its type's name without "Actor".</param>
/// <param name="State">Its own word for it; null for actors that have but one.</param>
/// <param name="Mailbox">Messages that wait in it.</param>
/// <param name="Restarts">How often it has failed and was started again.</param>
public sealed record ActorSeen(string Path, string Kind, string? State, int Mailbox, int Restarts);
