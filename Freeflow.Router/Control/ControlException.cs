namespace Freeflow.Router.Control;

/// <summary>A request can't be answered; the message is one line for whoever has asked.</summary>
public sealed class ControlException(string message) : Exception(message);
