using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>Where commands name their id (rdma/rdma_user_cm.h).</summary>
internal static class RdmaCmIds
{
    /// <summary>Whether the manager itself serves it; the others name an id that does.</summary>
    public static bool IsForTheManager(RdmaCmCommand command) => command is RdmaCmCommand.CreateId or RdmaCmCommand.DestroyId or RdmaCmCommand.GetEvent
        or RdmaCmCommand.GetOption or RdmaCmCommand.MigrateId or RdmaCmCommand.JoinIpMcast or RdmaCmCommand.JoinMcast or RdmaCmCommand.LeaveMcast;

    /// <summary>Reads a command's id; false where the command is too short for that.</summary>
    public static bool TryRead(RdmaCmCall call, out uint id)
    {
        var offset = OffsetOf(call.Command);
        id = 0;
        return call.Body.Length >= offset && MemoryMarshal.TryRead(call.Body.Span[offset..], out id);
    }

    /// <summary>Whether a command makes events that somebody must read.</summary>
    public static bool LeadsToEvents(RdmaCmCommand command) => command is
        RdmaCmCommand.ResolveIp or RdmaCmCommand.ResolveAddr or RdmaCmCommand.ResolveRoute or RdmaCmCommand.Connect or RdmaCmCommand.SetOption;

    private static int OffsetOf(RdmaCmCommand command) => command switch
    {
        RdmaCmCommand.BindIp => 36,
        RdmaCmCommand.ResolveIp => 56,
        RdmaCmCommand.Connect => 272,
        RdmaCmCommand.Accept => 280,
        RdmaCmCommand.QueryRoute or RdmaCmCommand.Query or RdmaCmCommand.InitQpAttr or RdmaCmCommand.SetOption => 8,
        _ => 0,
    };
}
