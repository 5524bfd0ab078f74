namespace Freeflow.TestRun;

/// <summary>Expressions of dotnet test's --filter.</summary>
internal static class TestFilter
{
    public static string Both(string one, string other) =>
        one.Length == 0 ? other : other.Length == 0 ? one : $"({one})&({other})";

    /// <summary>One test, with its arguments.</summary>
    public static string Exactly(TestOutcome test) => $"FullyQualifiedName={Escape(test.Method)}&DisplayName={Escape(test.Name)}";

    /// <summary>All tests of its method: where its name has what an expression can't say.</summary>
    public static string Method(TestOutcome test) => $"FullyQualifiedName={Escape(test.Method)}";

    private static string Escape(string value) =>
        string.Concat(value.Select(letter => @"\()&|=!~".Contains(letter) ? @"\" + letter : letter.ToString()));
}
