using System.Reflection;
using Freeflow.EndToEnd.Tests.Fixtures;
using Xunit.Abstractions;
using Xunit.Sdk;

[assembly: TestFramework("Freeflow.EndToEnd.Tests.Fixtures.LabTestFramework", "Freeflow.EndToEnd.Tests")]
[assembly: AssemblyTrait("Tier", "Lab")]

namespace Freeflow.EndToEnd.Tests.Fixtures;

/// <summary>xunit's, but that tests run in lanes beside each other, each in a lab of its own which is made whole before each test.</summary>
public sealed class LabTestFramework(IMessageSink messages) : XunitTestFramework(messages)
{
    protected override ITestFrameworkExecutor CreateExecutor(AssemblyName assemblyName) =>
        new Executor(assemblyName, SourceInformationProvider, DiagnosticMessageSink);

    private sealed class Executor(AssemblyName name, ISourceInformationProvider sources, IMessageSink diagnostics)
        : XunitTestFrameworkExecutor(name, sources, diagnostics)
    {
        protected override async void RunTestCases(
            IEnumerable<IXunitTestCase> testCases, IMessageSink executionMessageSink, ITestFrameworkExecutionOptions executionOptions)
        {
            using var runner = new LabAssemblyRunner(TestAssembly, testCases, DiagnosticMessageSink, executionMessageSink, executionOptions);
            await runner.RunAsync();
        }
    }
}
