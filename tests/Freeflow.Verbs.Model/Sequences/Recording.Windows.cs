using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

// Memory windows.
public sealed partial class Recording
{
    public List<Window> Windows { get; } = [];

    public Window Window(string name, string domain, int type)
    {
        var window = new Window(name, domain, type);
        Windows.Add(window);
        _users[domain]++;
        Step($"mw {name} pd={domain} type={type}", "ok");
        return window;
    }

    /// <summary>A window of a type that there is not.</summary>
    public void RefusedWindow(string name, string domain, int type) => Step($"mw {name} pd={domain} type={type}", "EINVAL");

    public void End(Window window)
    {
        window.Unbind();
        window.IsAlive = false;
        _users[window.Domain]--;
        Step($"end {window.Name} mw", "ok");
    }

    /// <summary>Binds by a call (ibv_bind_mw), which the library checks, or by a work request. Each ends with a settling before the next of its window.</summary>
    public string Bind(QueuePair qp, Binding binding, bool isCall, bool isSignaled = true)
    {
        var window = binding.Window;
        var request = new SendRequest(++_sends, Operation.Bind, []) { Binding = binding, IsSignaled = isSignaled };
        var answer = !isCall ? Post(qp, request)
            : window.Type != 1 ? "EINVAL"
            : binding.Region.Domain != window.Domain ? "EPERM"
            : (binding.Access & Access.ZeroBased) != 0 ? "EINVAL"
            : Post(qp, request);
        if (answer == "ok")
            window.KnownBindings++;
        Step(
            $"bind {window.Name} qp={qp.Name} id={request.Id} by={(isCall ? "call" : "request")} mr={binding.Region.Name}+{binding.Offset}/{binding.Length} "
            + $"access={(int)binding.Access} flags={(isSignaled ? "s" : "-")}",
            answer);
        _execution.Run();
        return answer;
    }

    /// <summary>An application takes back the key of a binding that failed.</summary>
    private void Revert()
    {
        foreach (var window in Windows.Where(window => window.KnownBindings > window.Bindings))
        {
            window.KnownBindings = window.Bindings;
            Step($"revert {window.Name}", "ok");
        }
    }
}
