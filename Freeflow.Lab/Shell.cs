using System.Diagnostics;

namespace Freeflow.Lab;

/// <summary>What a finished program left.</summary>
public sealed record ProgramResult(int ExitCode, string Output, string Errors)
{
    /// <summary>Everything it said, for a failure's message.</summary>
    public string Everything => $"exit status {ExitCode}\n{Output}{Errors}";
}

/// <summary>Runs programs, each within a bound.</summary>
public static class Shell
{
    public static ProgramResult Run(TimeSpan bound, IReadOnlyDictionary<string, string>? environment, params IEnumerable<string> command)
    {
        using var program = BackgroundProgram.Start(environment, command);
        return program.Wait(bound);
    }

    /// <summary>Runs a bash script with -e; throws when it fails.</summary>
    public static void Script(string script, IReadOnlyDictionary<string, string>? environment = null)
    {
        var result = Run(TimeSpan.FromSeconds(30), environment, "bash", "-ec", script);
        if (result.ExitCode != 0)
            throw new LabException($"{result.Errors.Trim()} (exit status {result.ExitCode}) in:\n{script}");
    }
}

/// <summary>A program that runs beside the caller; ended when disposed.</summary>
public sealed class BackgroundProgram : IDisposable
{
    private static readonly TimeSpan s_endsWithin = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly SpokenText _output;
    private readonly SpokenText _errors;

    private BackgroundProgram(Process process)
    {
        _process = process;
        _output = new SpokenText(process.StandardOutput);
        _errors = new SpokenText(process.StandardError);
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public StreamWriter Input => _process.StandardInput;

    /// <summary>What it has written to its output so far.</summary>
    public string OutputSoFar => _output.SoFar;

    /// <summary>Waits until it has written a text to its output; throws LabException where it does not, or ends before.</summary>
    public void AwaitOutput(string text)
    {
        WaitFor.That($"\"{text}\"", () => OutputSoFar.Contains(text, StringComparison.Ordinal) || HasExited, () => OutputSoFar);
        if (HasExited && !_output.WholeWithin(s_endsWithin).Contains(text, StringComparison.Ordinal))
            throw new LabException($"it ended before it wrote \"{text}\": {OutputSoFar}{_errors.SoFar}");
    }

    public static BackgroundProgram Start(IReadOnlyDictionary<string, string>? environment, IEnumerable<string> command)
    {
        var words = command.ToList();
        var start = new ProcessStartInfo(words[0], words.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new BackgroundProgram(Process.Start(start)!);
    }

    /// <summary>Waits for the end; a program that goes on beyond the bound is ended, with exit status 124 as timeout(1) has it.</summary>
    /// <param name="usual">The bound, before <see cref="WaitFor"/> scales it.</param>
    public ProgramResult Wait(TimeSpan usual)
    {
        var bound = WaitFor.Scaled(usual);
        _process.StandardInput.Close();
        // What it has started may live on and hold its output.
        if (_process.WaitForExit(bound))
            return new ProgramResult(_process.ExitCode, _output.WholeWithin(bound), _errors.WholeWithin(bound));
        Signal("TERM");
        if (!_process.WaitForExit(s_endsWithin))
            _process.Kill(entireProcessTree: true);
        return new ProgramResult(124, _output.WholeWithin(s_endsWithin), $"{_errors.WholeWithin(s_endsWithin)}\nnot finished within {bound.TotalSeconds} s");
    }

    /// <summary>Sends a signal; `lab exec` passes it on to the program in the container.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString()]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Signal("TERM");
            // Without its children they would live on in the container.
            if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
                _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
