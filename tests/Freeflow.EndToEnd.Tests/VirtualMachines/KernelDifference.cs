using System.Text.RegularExpressions;

namespace Freeflow.EndToEnd.Tests.VirtualMachines;

/// <summary>
/// A place in which the software NIC answers otherwise than Linux 6.1's rxe driver, on purpose. In a recorded sequence it is
/// "OURS~KERNELS"; each device has to answer its own half, exactly.
/// </summary>
/// <param name="Row">The row of docs/compatibility.md that says so, and why.</param>
/// <param name="Line">The recorded line, in which the names and numbers are any.</param>
public sealed record KernelDifference(string Row, string Line)
{
    public static IReadOnlyList<KernelDifference> All { get; } =
    [
        // A key that is not found is EINVAL within the driver, and only EFAULT becomes LOC_PROT_ERR.
        new("A send from memory whose key is not one of the PD's; a receive into it", "= * send # LOC_PROT_ERR~LOC_QP_OP_ERR"),
        new("A send from memory whose key is not one of the PD's; a receive into it", "= * recv # LOC_PROT_ERR~LOC_QP_OP_ERR"),
        // The driver takes the receive before it looks at the key.
        new("The receive of a write with immediate data whose key is refused", "= * recv # WR_FLUSH_ERR~REM_ACCESS_ERR"),
        // The kernel's core keeps an attachment for each LID, the driver one for the group; the second detaching fails in the driver.
        new("Detaching a QP from a group that it was attached to by two LIDs", "detach * group=* lid=# -> ok~EINVAL"),
        new("Detaching a QP from a group that it was attached to by two LIDs", "end * qp -> ok~EBUSY"),
    ];

    /// <summary>Whether a recorded line, which has two answers, is this one.</summary>
    public bool Is(string line) =>
        Regex.IsMatch(line, $"^{Regex.Escape(Line).Replace(@"\*", @"\S+").Replace(@"\#", @"\d+")}$", RegexOptions.CultureInvariant);
}
