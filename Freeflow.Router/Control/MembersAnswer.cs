namespace Freeflow.Router.Control;

/// <summary>What `freeflow members` shows.</summary>
public sealed record MembersAnswer(IReadOnlyList<MemberAnswer> Members);

/// <param name="Address">Its cluster address and port.</param>
/// <param name="Status">As the cluster calls it: Joining, WeaklyUp, Up, Leaving, Exiting, Down.</param>
/// <param name="Reachable">Whether the members hear it.</param>
/// <param name="Age">1: the oldest.</param>
/// <param name="IsOwn">Whether it is the router that was asked.</param>
/// <param name="DataLink">up, own, or why it is down or refused.</param>
/// <param name="HandoverLink">The same for TCP mode's.</param>
public sealed record MemberAnswer(string Address, string Status, bool Reachable, int Age, bool IsOwn, string DataLink, string HandoverLink);
