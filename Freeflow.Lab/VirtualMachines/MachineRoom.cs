namespace Freeflow.Lab.VirtualMachines;

/// <summary>
/// Virtual machines on this one: m1, or m1 and m2 joined by a wire. Putting them up takes down what an earlier room left; taking
/// them down leaves nothing.
/// </summary>
public sealed class MachineRoom : IDisposable
{
    public const int MostMachines = 2;

    private static readonly TimeSpan s_wireWithin = TimeSpan.FromMinutes(1);

    private readonly LabPaths _paths;

    /// <param name="paths">Of the lab that it is beside.</param>
    public MachineRoom(LabPaths paths) => _paths = paths with { State = paths.State + "-machines" };

    public VirtualMachine this[int machine] => new(_paths, $"m{machine}");

    public static string AddressOf(int machine) => $"192.168.60.{machine}";

    /// <summary>Boots as many machines, and waits until each can run programs.</summary>
    public void Up(MachineKernel kernel, int machines)
    {
        if (machines is < 1 or > MostMachines)
            throw new LabException($"expected 1 to {MostMachines} virtual machines");
        Down();
        try
        {
            for (var machine = 1; machine <= machines; machine++)
            {
                if (machine > 1)
                    AwaitWire();
                this[machine].Begin(kernel, new MachineOptions
                {
                    Address = AddressOf(machine),
                    WireMac = machines > 1 ? $"02:ff:00:00:01:{machine:x2}" : null,
                    WireListens = machine == 1,
                });
            }

            for (var machine = 1; machine <= machines; machine++)
                this[machine].AwaitReady();
        }
        catch
        {
            Down();
            throw;
        }
    }

    public void Down()
    {
        new LabProcesses(_paths).EndAll();
        if (Directory.Exists(_paths.State))
            Directory.Delete(_paths.State, recursive: true);
    }

    public void Dispose() => Down();

    private void AwaitWire()
    {
        WaitFor.That($"{this[1].Name} opening the wire", s_wireWithin, () => File.Exists(VirtualMachine.WireOf(_paths)) || !this[1].IsRunning);
        // Says why, where it has ended.
        if (!this[1].IsRunning)
            this[1].AwaitReady();
    }
}
