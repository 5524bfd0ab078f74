using System.Xml.Linq;

namespace Freeflow.TestRun;

/// <summary>The file that dotnet test's trx logger leaves.</summary>
internal static class TrxFile
{
    private static readonly XNamespace s_trx = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";

    private static readonly string[] s_problems = ["aborted", "crashed", "catastrophic failure"];

    public static List<TestOutcome> Read(string suite, string path)
    {
        var document = XDocument.Load(path);
        var methods = document.Descendants(s_trx + "UnitTest").ToDictionary(
            test => Attribute(test, "id"),
            test => test.Element(s_trx + "TestMethod") is { } method ? $"{Attribute(method, "className")}.{MethodName(method)}" : "");
        return
        [
            .. document.Descendants(s_trx + "UnitTestResult").Select(result => new TestOutcome(
                suite,
                methods.GetValueOrDefault(Attribute(result, "testId"), ""),
                Attribute(result, "testName"),
                Attribute(result, "outcome") switch { "Passed" => Outcome.Passed, "NotExecuted" => Outcome.Skipped, _ => Outcome.Failed },
                TimeSpan.TryParse(Attribute(result, "duration"), out var duration) ? duration : TimeSpan.Zero,
                Message(result))),
        ];
    }

    /// <summary>What kept the run from its end, such as a test host that crashed; null: nothing. The adapter reports failed tests there, too.</summary>
    public static string? Problem(string path) => XDocument.Load(path).Descendants(s_trx + "RunInfo")
        .SelectMany(info => info.Value.Split('\n'))
        .Select(line => line.Trim())
        .Where(line => !line.EndsWith("[FAIL]", StringComparison.Ordinal))
        .FirstOrDefault(line => s_problems.Any(sign => line.Contains(sign, StringComparison.OrdinalIgnoreCase)));

    /// <summary>The logger gives the name with the arguments where the test has some.</summary>
    private static string MethodName(XElement method) => Attribute(method, "name").Split('(', 2)[0];

    private static string Message(XElement result) => string.Join(
        '\n', new[] { "Message", "StackTrace" }.SelectMany(part => result.Descendants(s_trx + part).Take(1)).Select(part => part.Value.Trim()));

    private static string Attribute(XElement element, string name) => element.Attribute(name)?.Value ?? "";
}
