namespace Freeflow.Router.Control;

/// <summary>An answer of many parts, each told when it is there: one <see cref="ControlAnswer"/> a line, until the end or until the client goes.</summary>
/// <param name="Parts">Runs when the first is asked for; the client's going cancels it.</param>
public sealed record ControlStream(IAsyncEnumerable<object> Parts);
