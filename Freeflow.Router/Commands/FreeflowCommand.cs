using System.CommandLine;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow` and all that it can do.</summary>
internal static class FreeflowCommand
{
    public static RootCommand Create() => new("Freeflow: RDMA and host-speed TCP for containers")
    {
        RunCommand.Create(),
        StatusCommand.Create(),
        MembersCommand.Create(),
        ContainersCommand.Create(),
        QueuePairsCommand.Create(),
        FlowsCommand.Create(),
        ExplainCommand.Create(),
        PolicyCommand.Create(),
        EventsCommand.Create(),
        HealthCommand.Create(),
        TopCommand.Create(),
        PingCommand.Create(),
        PerfCommand.Create(),
        DrainCommand.Create(),
        DoctorCommand.Create(),
        CaCommand.Create(),
        CompletionCommand.Create(),
        ManualCommand.Create(),
    };
}
