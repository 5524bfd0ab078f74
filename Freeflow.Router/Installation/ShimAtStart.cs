namespace Freeflow.Router.Installation;

/// <param name="Done">What was installed when the router started; null where it was not told to.</param>
internal sealed record ShimAtStart(ShimInstallation? Done);
