namespace Freeflow.Router.Events;

/// <summary>An event as the feed keeps it and operators see it.</summary>
/// <param name="Number">Counts up from 1 since the router's start.</param>
/// <param name="Time">UTC.</param>
/// <param name="Id">The number of its kind, as in the log.</param>
/// <param name="Name">The name of its kind: link-down.</param>
/// <param name="Severity">debug, info, warning or error.</param>
/// <param name="Text">A line for people; containers may have a say in it.</param>
/// <param name="Facts">Who and what is concerned.</param>
/// <param name="Unrecorded">Events of the kind that came too thick before this one and were only counted.</param>
public sealed record RecordedEvent(
    long Number, DateTime Time, int Id, string Name, string Severity, string Text, IReadOnlyDictionary<string, string> Facts, int Unrecorded);
