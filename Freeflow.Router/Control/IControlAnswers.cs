namespace Freeflow.Router.Control;

/// <summary>What the control socket's clients are told.</summary>
public interface IControlAnswers
{
    /// <summary>
    /// Something that can be written as JSON, or a <see cref="ControlStream"/> of such things. Throws <see cref="ControlException"/> for what there is no answer to.
    /// </summary>
    Task<object> AnswerAsync(ControlRequest request, CancellationToken stop);
}
