using Freeflow.Lab;
using Freeflow.EndToEnd.Tests.Tcp.Programs;

namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>
/// What servers do with their listeners as a matter of course, and which clients come after that: all are served, without the library and
/// with it.
/// </summary>
public sealed class ServersKeepTheirClients(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Python = "/usr/bin/python3";
    private const int Port = 8100;
    private const int Before = 5;
    private const int After = 20;

    private static readonly string s_program = LabFixture.TestProgram("listener-habits.py");
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    public static IEnumerable<object[]> Habits =>
        from habit in new[] { ("child-closes-everything", true), ("child-runs-a-program", true), ("closes-by-system-call", true), ("becomes-another-program", true), ("hands-over", false), ("stranger-serves", false) }
        from placement in new[] { Placement.SameHost, Placement.AcrossHosts }
        select new object[] { habit.Item1, habit.Item2, placement };

    /// <param name="habit">What it does between its first clients and the others.</param>
    /// <param name="isAcceleratedAfter">Whether the later ones have to be accelerated; else they may be.</param>
    /// <param name="placement">Where its clients are.</param>
    [Theory]
    [MemberData(nameof(Habits))]
    public void WhateverTheyDoWithTheirListeners(string habit, bool isAcceleratedAfter, Placement placement)
    {
        using (lab.StartListening(LabFixture.Server(placement), Port, ["env", "-u", "LD_PRELOAD", Python, s_program, "serve", habit, $"{Port}"]))
            Visit(words => lab.Hosts.Exec(LabFixture.Client(placement), s_bound, ["env", "-u", "LD_PRELOAD", .. words]).Output, LabFixture.AddressOf(LabFixture.Server(placement)), () => { });

        using var server = new ServerProgram(lab, placement, Port, Python, s_program, "serve", habit, $"{Port}");
        var acceleration = new Acceleration(lab, server.ClientNode, server.Node);
        Visit(words => server.Run(words), server.Address, () =>
        {
            if (isAcceleratedAfter)
                acceleration.AwaitListener(Port);
        });
        server.MustHaveAccelerated(isAcceleratedAfter ? Before + 1 + After : Before + 1);
    }

    private static void Visit(Func<string[], string> run, string address, Action settle)
    {
        Assert.Equal($"{Before} served\n", run([Python, s_program, "ask", address, $"{Port}", $"{Before}"]));
        Assert.Contains(run([Python, s_program, "change", address, $"{Port}"]), new[] { "served\n", "ended\n" });
        settle();
        Assert.Equal($"{After} served\n", run([Python, s_program, "ask", address, $"{Port}", $"{After}"]));
    }
}
