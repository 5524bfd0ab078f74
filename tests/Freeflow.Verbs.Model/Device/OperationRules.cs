namespace Freeflow.Verbs.Model.Device;

/// <summary>What each operation is (InfiniBand specification, 9.4 and table 38).</summary>
public static class OperationRules
{
    public static bool IsAtomic(this Operation operation) => operation is Operation.Swap or Operation.Add;

    /// <summary>Whether the answer brings data.</summary>
    public static bool AwaitsData(this Operation operation) => operation is Operation.Read || operation.IsAtomic();

    public static bool IsWrite(this Operation operation) => operation is Operation.Write or Operation.WriteImmediate;

    public static bool TakesReceive(this Operation operation) =>
        operation is Operation.Send or Operation.SendImmediate or Operation.SendInvalidate or Operation.WriteImmediate;

    public static bool HasImmediate(this Operation operation) => operation is Operation.SendImmediate or Operation.WriteImmediate;

    /// <summary>Whether the peer hears nothing of it.</summary>
    public static bool IsLocal(this Operation operation) => operation is Operation.Bind or Operation.Invalidate;

    /// <summary>Whether it is about keys, not about data alone.</summary>
    public static bool IsAboutKeys(this Operation operation) => operation is Operation.SendInvalidate || operation.IsLocal();

    public static bool IsOffered(this Operation operation, Transport transport) => transport switch
    {
        Transport.Reliable => true,
        Transport.Unreliable => !operation.AwaitsData() && operation is not (Operation.SendInvalidate or Operation.Invalidate),
        _ => operation is Operation.Send or Operation.SendImmediate,
    };

    /// <summary>What the QP of the responder has to allow.</summary>
    public static Access Needs(this Operation operation) => operation switch
    {
        Operation.Write or Operation.WriteImmediate => Access.RemoteWrite,
        Operation.Read => Access.RemoteRead,
        Operation.Swap or Operation.Add => Access.RemoteAtomic,
        _ => Access.None,
    };

    public static string Word(this Operation operation) => operation switch
    {
        Operation.Send => "send",
        Operation.SendImmediate => "send-imm",
        Operation.Write => "write",
        Operation.WriteImmediate => "write-imm",
        Operation.Read => "read",
        Operation.Swap => "swap",
        Operation.SendInvalidate => "send-inv",
        Operation.Bind => "bind",
        Operation.Invalidate => "invalidate",
        _ => "add",
    };

    /// <summary>The completion's opcode.</summary>
    public static string Done(this Operation operation) => operation switch
    {
        Operation.Send or Operation.SendImmediate or Operation.SendInvalidate => "send",
        Operation.Write or Operation.WriteImmediate => "write",
        _ => operation.Word(),
    };
}
