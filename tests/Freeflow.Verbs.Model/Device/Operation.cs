namespace Freeflow.Verbs.Model.Device;

/// <summary>What a work request asks for.</summary>
public enum Operation
{
    Send,
    SendImmediate,
    Write,
    WriteImmediate,
    Read,
    Swap,
    Add,

    /// <summary>A send that ends what one of the receiver's keys opens.</summary>
    SendInvalidate,

    /// <summary>Gives a memory window something to open on.</summary>
    Bind,

    /// <summary>Ends what an own key opens.</summary>
    Invalidate,
}
