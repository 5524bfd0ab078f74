using System.Collections.Concurrent;
using Xunit.Abstractions;
using Xunit.Sdk;
using Collection = System.Tuple<Xunit.Abstractions.ITestCollection, System.Collections.Generic.List<Xunit.Sdk.IXunitTestCase>>;

namespace Freeflow.EndToEnd.Tests.Fixtures;

/// <summary>Runs the tests in lanes, and takes the labs down at the end.</summary>
internal sealed class LabAssemblyRunner(
    ITestAssembly assembly, IEnumerable<IXunitTestCase> cases, IMessageSink diagnostics, IMessageSink execution, ITestFrameworkExecutionOptions options)
    : XunitTestAssemblyRunner(assembly, cases, diagnostics, execution, options)
{
    private static int Lanes =>
        int.TryParse(Environment.GetEnvironmentVariable("FREEFLOW_TEST_LANES"), out var given) && given > 0 ? given : Environment.ProcessorCount;

    protected override async Task<RunSummary> RunTestCollectionsAsync(IMessageBus messageBus, CancellationTokenSource cancellationTokenSource)
    {
        var total = new RunSummary();
        var (alone, beside) = (new List<Collection>(), new List<Collection>());
        foreach (var collection in OrderTestCollections())
            (IsForItself(collection.Item1) ? alone : beside).Add(collection);
        foreach (var collection in alone)
            Run(collection);

        // The classes with the most tests first, so that all lanes come to their end together.
        var work = new ConcurrentQueue<Collection>(beside.OrderByDescending(collection => collection.Item2.Count));
        var lanes = Enumerable.Range(0, Lanes).Select(_ => Task.Factory.StartNew(Lane, TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll(lanes);
        return total;

        void Lane()
        {
            while (!cancellationTokenSource.IsCancellationRequested && work.TryDequeue(out var next))
                Run(next);
        }

        void Run(Collection collection)
        {
            var ran = RunTestCollectionAsync(messageBus, collection.Item1, collection.Item2, cancellationTokenSource).GetAwaiter().GetResult();
            lock (total)
                total.Aggregate(ran);
        }
    }

    protected override Task<RunSummary> RunTestCollectionAsync(
        IMessageBus messageBus, ITestCollection testCollection, IEnumerable<IXunitTestCase> testCases, CancellationTokenSource cancellationTokenSource) =>
        new CollectionRunner(testCollection, testCases, DiagnosticMessageSink, messageBus, TestCaseOrderer, new ExceptionAggregator(Aggregator), cancellationTokenSource).RunAsync();

    protected override Task BeforeTestAssemblyFinishedAsync()
    {
        Aggregator.Run(TestRunDirectory.Remove);
        return base.BeforeTestAssemblyFinishedAsync();
    }

    private static bool IsForItself(ITestCollection collection) =>
        collection.CollectionDefinition?.GetCustomAttributes(typeof(CollectionDefinitionAttribute)).SingleOrDefault()
            ?.GetNamedArgument<bool>(nameof(CollectionDefinitionAttribute.DisableParallelization)) ?? false;

    private sealed class CollectionRunner(
        ITestCollection collection, IEnumerable<IXunitTestCase> cases, IMessageSink diagnostics, IMessageBus bus, ITestCaseOrderer orderer,
        ExceptionAggregator aggregator, CancellationTokenSource stop)
        : XunitTestCollectionRunner(collection, cases, diagnostics, bus, orderer, aggregator, stop)
    {
        protected override Task<RunSummary> RunTestClassAsync(ITestClass testClass, IReflectionTypeInfo @class, IEnumerable<IXunitTestCase> testCases) =>
            new ClassRunner(testClass, @class, testCases, DiagnosticMessageSink, MessageBus, TestCaseOrderer, new ExceptionAggregator(Aggregator), CancellationTokenSource, CollectionFixtureMappings)
                .RunAsync();
    }

    private sealed class ClassRunner(
        ITestClass testClass, IReflectionTypeInfo @class, IEnumerable<IXunitTestCase> cases, IMessageSink diagnostics, IMessageBus bus, ITestCaseOrderer orderer,
        ExceptionAggregator aggregator, CancellationTokenSource stop, IDictionary<Type, object> fixtures)
        : XunitTestClassRunner(testClass, @class, cases, diagnostics, bus, orderer, aggregator, stop, fixtures)
    {
        protected override Task<RunSummary> RunTestMethodAsync(
            ITestMethod testMethod, IReflectionMethodInfo method, IEnumerable<IXunitTestCase> testCases, object[] constructorArguments) =>
            new MethodRunner(testMethod, Class, method, testCases, DiagnosticMessageSink, MessageBus, new ExceptionAggregator(Aggregator), CancellationTokenSource, constructorArguments)
                .RunAsync();
    }

    private sealed class MethodRunner(
        ITestMethod testMethod, IReflectionTypeInfo @class, IReflectionMethodInfo method, IEnumerable<IXunitTestCase> cases, IMessageSink diagnostics, IMessageBus bus,
        ExceptionAggregator aggregator, CancellationTokenSource stop, object[] constructorArguments)
        : XunitTestMethodRunner(testMethod, @class, method, cases, diagnostics, bus, aggregator, stop, constructorArguments)
    {
        private readonly object[] _constructorArguments = constructorArguments;
        private readonly IMessageSink _diagnostics = diagnostics;

        /// <summary>A lab that can't be made whole fails the test.</summary>
        protected override async Task<RunSummary> RunTestCaseAsync(IXunitTestCase testCase)
        {
            var aggregator = new ExceptionAggregator(Aggregator);
            var labs = _constructorArguments.OfType<LabFixture>().ToList();
            foreach (var lab in labs)
                aggregator.Run(() => lab.MakeWhole(testCase.DisplayName));
            var records = labs.ConvertAll(lab => lab.Record());
            var summary = await testCase.RunAsync(_diagnostics, MessageBus, _constructorArguments, aggregator, CancellationTokenSource);
            if (summary.Failed > 0)
                records.ForEach(record => record.Keep(testCase.DisplayName));
            return summary;
        }
    }
}
