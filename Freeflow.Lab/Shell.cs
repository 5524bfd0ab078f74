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
    /// <summary>The environment variable that says how many times as long as usual everything may take, as in a virtual machine.</summary>
    public const string PatienceVariable = "FREEFLOW_LAB_PATIENCE";

    private static readonly int s_patience =
        int.TryParse(Environment.GetEnvironmentVariable(PatienceVariable), out var given) && given is >= 1 and <= 100 ? given : 1;

    /// <summary>A bound of the lab's own, on this machine.</summary>
    public static TimeSpan Within(TimeSpan usual) => usual * s_patience;

    public static ProgramResult Run(TimeSpan bound, IReadOnlyDictionary<string, string>? environment, params IEnumerable<string> command)
    {
        using var program = BackgroundProgram.Start(environment, command);
        return program.Wait(bound);
    }

    /// <summary>Runs a bash script with -e; throws when it fails.</summary>
    public static void Script(string script, IReadOnlyDictionary<string, string>? environment = null)
    {
        var result = Run(Within(TimeSpan.FromSeconds(30)), environment, "bash", "-ec", script);
        if (result.ExitCode != 0)
            throw new LabException($"{result.Errors.Trim()} (exit status {result.ExitCode}) in:\n{script}");
    }
}

/// <summary>A program that runs beside the caller; ended when disposed.</summary>
public sealed class BackgroundProgram : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private BackgroundProgram(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public StreamWriter Input => _process.StandardInput;

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
    public ProgramResult Wait(TimeSpan bound)
    {
        _process.StandardInput.Close();
        if (_process.WaitForExit(bound))
            return new ProgramResult(_process.ExitCode, _output.Result, _errors.Result);
        Signal("TERM");
        if (!_process.WaitForExit(TimeSpan.FromSeconds(2)))
            _process.Kill(entireProcessTree: true);
        var text = Task.WhenAll(_output, _errors).Wait(TimeSpan.FromSeconds(2)) ? (_output.Result, _errors.Result) : ("", "");
        return new ProgramResult(124, text.Item1, $"{text.Item2}\nnot finished within {bound.TotalSeconds} s");
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
