using Freeflow.Router.Commands;

var parsed = FreeflowCommand.Create().Parse(args);
var exitCode = await parsed.InvokeAsync();
return parsed.Errors.Count > 0 ? RouterQuery.Usage : exitCode;
