using System.Globalization;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Freeflow.Lab;

namespace Freeflow.Actors.Tests;

/// <summary>
/// A test with an actor system. The TestKit multiplies the bounds of its waits by the factor of <see cref="WaitFor"/>, those given to it too:
/// a test scales only what it waits for without the TestKit.
/// </summary>
public abstract class ActorTest : TestKit
{
    protected ActorTest()
        : this(Config.Empty)
    {
    }

    protected ActorTest(string config)
        : this(ConfigurationFactory.ParseString(config))
    {
    }

    protected ActorTest(Config config, string? name = null)
        : base(ConfigurationFactory.ParseString($"akka.test.timefactor = {WaitFor.Patience.ToString(CultureInfo.InvariantCulture)}").WithFallback(config), name)
    {
    }
}
