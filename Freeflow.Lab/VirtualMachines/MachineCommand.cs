using System.CommandLine;

namespace Freeflow.Lab.VirtualMachines;

/// <summary>`lab vm`, but for what runs programs in a machine, which `./lab` does itself.</summary>
internal static class MachineCommand
{
    public static Command Of(LabPaths paths, MachineRoom room, Func<Action, int> guard)
    {
        var machines = new Option<int>("--machines") { DefaultValueFactory = _ => 1, Description = "1, m1; or 2, m1 and m2, joined by a wire" };
        var up = new Command("up", "Boots virtual machines, and waits until they can run programs") { machines };
        up.SetAction(parsed => guard(() =>
        {
            var (kernel, missing) = MachineKernel.Find(paths);
            room.Up(kernel ?? throw new LabException(missing!), parsed.GetValue(machines));
        }));

        var down = new Command("down", "Takes the virtual machines down");
        down.SetAction(_ => guard(room.Down));
        return new Command("vm", "Virtual machines with a kernel's own Soft-RoCE device") { up, down };
    }
}
