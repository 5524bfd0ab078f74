using System.CommandLine;
using Freeflow.TestRun;

var unit = new Option<bool>("--unit") { Description = "Only what needs no root, no time and no network namespace" };
var all = new Option<bool>("--all") { Description = "Everything: the long ranges, images, crowds" };
var machines = new Option<bool>("--vm") { Description = "What runs in virtual machines, the long ones too" };
var filter = new Option<string?>("--filter") { Description = "Of every tier, what matches the expression, as dotnet test takes it" };
var repeat = new Option<int>("--repeat") { DefaultValueFactory = _ => 1, Description = "Runs it that many times, without trying again, and prints how often each test failed" };
var command = new RootCommand("Runs the tests of a build") { unit, all, machines, filter, repeat };
command.SetAction((parsed, stop) =>
{
    var tier = parsed.GetValue(filter) is not null ? Tier.Any
        : parsed.GetValue(all) ? Tier.All
        : parsed.GetValue(machines) ? Tier.Machines
        : parsed.GetValue(unit) ? Tier.Unit : Tier.Default;
    var repository = Repository.Find();
    repository.Begin();
    var run = new Run(repository, tier, parsed.GetValue(filter));
    return parsed.GetValue(repeat) is var times and > 1 ? run.RepeatAsync(times, stop) : run.OnceAsync(stop);
});
return await command.Parse(args).InvokeAsync();
