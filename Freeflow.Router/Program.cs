using System.CommandLine;
using Freeflow.Router.Commands;

var root = new RootCommand("Freeflow: RDMA and host-speed TCP for containers")
{
    RunCommand.Create(),
    StatusCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
