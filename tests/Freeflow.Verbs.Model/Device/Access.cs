namespace Freeflow.Verbs.Model.Device;

/// <summary>Rights to memory (IBV_ACCESS_*).</summary>
[Flags]
public enum Access
{
    None = 0,
    LocalWrite = 1,
    RemoteWrite = 2,
    RemoteRead = 4,
    RemoteAtomic = 8,
    Bind = 16,
    ZeroBased = 32,
    All = LocalWrite | RemoteWrite | RemoteRead | RemoteAtomic,
}
