using System.Globalization;

namespace Freeflow.Actors.Containers;

/// <summary>
/// The files below /sys that libibverbs, ibv_devinfo and their like read of an rxe device (Linux,
/// Documentation/ABI/stable/sysfs-class-infiniband).
/// </summary>
public static class SysfsFiles
{
    /// <summary>The emulated character device; what stat() of /dev/infiniband/uverbs0 says too.</summary>
    public const string DeviceNumber = "231:192";

    /// <summary>That of /dev/infiniband/rdma_cm, one of the misc devices.</summary>
    public const string RdmaCmNumber = "10:126";

    public static Dictionary<string, string> Of(ContainerDevice device)
    {
        const string verbs = "class/infiniband_verbs/";
        const string node = $"class/infiniband/{ContainerDevice.Name}/";
        const string port = node + "ports/1/";
        var guid = Groups(device.Guid);
        var files = new Dictionary<string, string>
        {
            [verbs + "abi_version"] = "6\n",
            [verbs + "uverbs0/ibdev"] = ContainerDevice.Name + "\n",
            [verbs + "uverbs0/abi_version"] = "1\n",
            [verbs + "uverbs0/dev"] = DeviceNumber + "\n",
            ["class/misc/rdma_cm/abi_version"] = "4\n",
            ["class/misc/rdma_cm/dev"] = RdmaCmNumber + "\n",
            [node + "node_type"] = "1: CA\n",
            [node + "node_guid"] = guid + "\n",
            [node + "sys_image_guid"] = guid + "\n",
            [node + "node_desc"] = "freeflow\n",
            [node + "fw_ver"] = "\n",
            [port + "state"] = device.IsUp ? "4: ACTIVE\n" : "1: DOWN\n",
            [port + "phys_state"] = device.IsUp ? "5: LinkUp\n" : "3: Disabled\n",
            [port + "rate"] = "2.5 Gb/sec (1X SDR)\n",
            [port + "lid"] = "0x" + device.Lid.ToString("x", CultureInfo.InvariantCulture) + "\n",
            [port + "lid_mask_count"] = "0\n",
            [port + "sm_lid"] = "0x0\n",
            [port + "sm_sl"] = "0\n",
            [port + "cap_mask"] = "0x00010000\n",
            [port + "link_layer"] = "Ethernet\n",
            [port + "pkeys/0"] = "0xffff\n",
        };
        for (var i = 0; i < device.Gids.Count; i++)
        {
            files[$"{port}gids/{i}"] = device.Gids[i].Gid + "\n";
            files[$"{port}gid_attrs/types/{i}"] = "RoCE v2\n";
            files[$"{port}gid_attrs/ndevs/{i}"] = device.Gids[i].Interface + "\n";
        }

        return files;
    }

    private static string Groups(ulong guid)
    {
        var text = guid.ToString("x16", CultureInfo.InvariantCulture);
        return $"{text[..4]}:{text[4..8]}:{text[8..12]}:{text[12..]}";
    }
}
