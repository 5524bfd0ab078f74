using System.Diagnostics;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Actors.ConnectionManagement;

// What belongs together: from the call that begins a conversation to its last word, at both ends, one trace.
public sealed partial class CommunicationIdActor
{
    /// <summary>What the conversation is at; nothing before one, and while a connection stands.</summary>
    private ActivityContext _cause;

    private ConnectionProtocol.Answer Serve(ConnectionManagerProtocol.Call call)
    {
        var command = call.Command.Command;
        var span = ControlTrace.Call(command, call.Origin, _cause);
        if (command is RdmaCmCommand.Connect or RdmaCmCommand.Accept or RdmaCmCommand.Reject or RdmaCmCommand.Disconnect)
            _cause = span.Or(_cause);
        var answer = Serve(call.Command);
        span.End(answer.Errno);
        return answer;
    }

    /// <summary>Takes up what the peer has said, in a span of its own: what follows belongs below that.</summary>
    private ControlSpan Heed(TracedMessage message)
    {
        var span = ControlTrace.Message(message, Sender);
        _cause = span.Or(message.Cause);
        return span;
    }

    private void Say(TracedMessage message) => _peer.Tell(message.For(_cause), Self);
}
