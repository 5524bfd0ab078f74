namespace Freeflow.TestRun;

/// <summary>What the labs' fixtures wrote down where a lab was not whole before a test (MendingLog in the end-to-end tests).</summary>
internal sealed class MendedLabs
{
    private const string Variable = "FREEFLOW_TEST_MENDED";

    private readonly string _file;

    public MendedLabs(Repository repository)
    {
        Directory.CreateDirectory(repository.Artifacts);
        _file = Path.Combine(repository.Artifacts, "mended.txt");
        File.Delete(_file);
        Environment.SetEnvironmentVariable(Variable, _file);
    }

    public IReadOnlyList<string> Read() => File.Exists(_file) ? File.ReadAllLines(_file) : [];
}
