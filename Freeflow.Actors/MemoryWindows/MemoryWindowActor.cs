using Akka.Actor;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;

namespace Freeflow.Actors.MemoryWindows;

public static class MemoryWindowProtocol
{
    /// <summary>Answered by <see cref="ConnectionProtocol.Removed"/>.</summary>
    public sealed class Deallocate
    {
        public static Deallocate Instance { get; } = new();
    }
}

/// <summary>One memory window: in the engine while this lives. Work requests bind and invalidate it.</summary>
public sealed class MemoryWindowActor : ListedActor
{
    private readonly VerbsEngine _engine;
    private readonly EngineMemoryWindow _window;
    private readonly ConnectionProtocol.Answer _made;

    public MemoryWindowActor(
        VerbsEngine engine, EngineConnection connection, uint key, uint domain, MemoryWindowType type, uint handle, UverbsCall call)
    {
        _engine = engine;
        _window = new EngineMemoryWindow(connection, key, domain, type);
        _made = new ConnectionProtocol.Answer(0, call.Respond(new AllocMwResponse { MwHandle = handle, Rkey = key }));
        Receive<MemoryWindowProtocol.Deallocate>(_ =>
        {
            var (self, parent) = (Self, Context.Parent);
            _engine.Remove(_window, () => parent.Tell(new ConnectionProtocol.Removed(self, 0)));
        });
    }

    public static Props Props(
        VerbsEngine engine, EngineConnection connection, uint key, uint domain, MemoryWindowType type, uint handle, UverbsCall call) =>
        Akka.Actor.Props.Create(() => new MemoryWindowActor(engine, connection, key, domain, type, handle, call));

    protected override void PreStart()
    {
        var parent = Context.Parent;
        _engine.Add(_window, () => parent.Tell(_made));
    }
}
