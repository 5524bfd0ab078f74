using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>A lab beside the shared one, with containers whose root file systems are Debian releases'.</summary>
public abstract class RootLab : LabFixture
{
    /// <summary>The status by which debian-root says that there is no such root to be had on this machine.</summary>
    private const int Unavailable = 77;

    private static readonly TimeSpan s_makeWithin = TimeSpan.FromMinutes(15);

    protected RootLab(string name)
        : base(name)
    {
    }

    /// <summary>Builds the lab, or takes down what there is of it before it fails.</summary>
    protected void Build(Action build)
    {
        try
        {
            build();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A release's root; or why there is none on this machine.</summary>
    protected (string? Directory, string? Missing) RootOf(string suite)
    {
        var made = Shell.Run(s_makeWithin, null, Path.Combine(Hosts.Paths.Repository, "Freeflow.Lab/debian-root"), suite);
        return made.ExitCode switch
        {
            0 => (made.Output.Trim(), null),
            Unavailable => (null, made.Errors.Trim()),
            _ => throw new LabException($"no root of {suite}: {made.Everything}"),
        };
    }
}
