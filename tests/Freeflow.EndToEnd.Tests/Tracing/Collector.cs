using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tracing;

/// <summary>An OTLP receiver on the first host (tests/Programs/collector).</summary>
public sealed class Collector : IDisposable
{
    private static readonly TimeSpan s_startsWithin = TimeSpan.FromSeconds(60);
    private static readonly JsonSerializerOptions s_web = new(JsonSerializerDefaults.Web);

    private readonly TracingLab _lab;
    private readonly BackgroundProgram _program;

    public Collector(TracingLab lab)
    {
        _lab = lab;
        var program = Path.Combine(lab.Hosts.Paths.Repository, "artifacts/bin/collector/release/collector");
        _program = lab.Hosts.Start("h1", [program, LabLayout.UnderlayAddress(1), $"{TracingLab.Port}"]);
        WaitFor.That("a collector that answers", s_startsWithin, () => TryRead(out _), () => _program.HasExited ? _program.Wait(TimeSpan.FromSeconds(1)).Everything : "it runs");
    }

    public IReadOnlyList<CollectedSpan> Spans => TryRead(out var spans) ? spans : throw new InvalidOperationException("the collector does not answer");

    public void Dispose() => _program.Dispose();

    private bool TryRead(out List<CollectedSpan> spans)
    {
        var result = _lab.Hosts.Exec("h1", s_startsWithin, "curl", "-sS", "-m", "20", $"http://{LabLayout.UnderlayAddress(1)}:{TracingLab.Port}/spans");
        spans = result.ExitCode == 0 ? JsonSerializer.Deserialize<List<CollectedSpan>>(result.Output, s_web)! : [];
        return result.ExitCode == 0;
    }
}
