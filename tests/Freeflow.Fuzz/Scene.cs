using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Objects;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Fuzz;

/// <summary>Everything that a sequence works with: the devices that it has open, its memory, and who rewrites its rings.</summary>
internal sealed class Scene : IDisposable
{
    public const int MaximumDevices = 3;
    public const int MaximumManagers = 3;

    private readonly HashSet<string> _seen;

    /// <param name="arena">The process's.</param>
    /// <param name="seen">What has been seen of the router at all; what is new goes in.</param>
    /// <param name="seed">Of the thread that rewrites rings.</param>
    public Scene(Arena arena, HashSet<string> seen, ulong seed)
    {
        (Arena, _seen) = (arena, seen);
        arena.Renew();
        Storm = new RingStorm(seed);
    }

    public Arena Arena { get; }

    public List<Device> Devices { get; } = [];

    public List<Manager> Managers { get; } = [];

    public RingStorm Storm { get; }

    /// <summary>The container's address.</summary>
    public static IPAddress Address { get; } = NetworkInterface.GetAllNetworkInterfaces()
        .Where(each => each.NetworkInterfaceType != NetworkInterfaceType.Loopback)
        .SelectMany(each => each.GetIPProperties().UnicastAddresses)
        .Select(each => each.Address)
        .FirstOrDefault(each => each.AddressFamily == AddressFamily.InterNetwork, IPAddress.Loopback);

    public static Gid OwnGid => Gid.FromAddress(Address);

    /// <summary>How many things were seen for the first time.</summary>
    public int News { get; private set; }

    public void Saw(string behaviour)
    {
        if (_seen.Add(behaviour))
            News++;
    }

    /// <summary>One of the open devices; opens the first.</summary>
    public Device Device(Choices choices)
    {
        var at = choices.Below(Math.Max(1, Devices.Count));
        if (Devices.Count == 0)
            Devices.Add(Objects.Device.Open(this));
        return Devices[at];
    }

    public Manager Manager(Choices choices)
    {
        var at = choices.Below(Math.Max(1, Managers.Count));
        if (Managers.Count == 0)
            Managers.Add(Objects.Manager.Open(this));
        return Managers[at];
    }

    public uint Handle(Device device, Kind kind, Choices choices) =>
        device.Objects.Handle(kind, choices, Devices.Where(other => other != device).Select(other => other.Objects));

    public SafeFileHandle Duplicate(SafeFileHandle descriptor) => StreamSocket.Duplicate(descriptor);

    /// <summary>Throws when something of the process was written to that it has given to nobody.</summary>
    public void MustBeWhole()
    {
        if (Arena.Written() is >= 0 and var guard)
            throw new FindingException($"memory that was never registered was written to: guard {guard}");
    }

    public void Dispose()
    {
        Storm.Dispose();
        foreach (var device in Devices)
            device.Dispose();
        foreach (var manager in Managers)
            manager.Dispose();
    }
}
