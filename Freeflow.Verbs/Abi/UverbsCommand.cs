namespace Freeflow.Verbs.Abi;

/// <summary>Command numbers of the uverbs write ABI (<c>enum ib_uverbs_write_cmds</c>).</summary>
public enum UverbsCommand : uint
{
    GetContext = 0,
    QueryDevice = 1,
    QueryPort = 2,
    AllocPd = 3,
    DeallocPd = 4,
    CreateAh = 5,
    DestroyAh = 8,
    RegMr = 9,
    ReregMr = 11,
    DeregMr = 13,
    AllocMw = 14,
    DeallocMw = 16,
    CreateCompChannel = 17,
    CreateCq = 18,
    ResizeCq = 19,
    DestroyCq = 20,
    PollCq = 21,
    ReqNotifyCq = 23,
    CreateQp = 24,
    QueryQp = 25,
    ModifyQp = 26,
    DestroyQp = 27,
    PostSend = 28,
    PostRecv = 29,
    AttachMcast = 30,
    DetachMcast = 31,
    CreateSrq = 32,
    ModifySrq = 33,
    QuerySrq = 34,
    DestroySrq = 35,
    PostSrqRecv = 36,
    OpenXrcd = 37,
    CloseXrcd = 38,
    CreateXsrq = 39,
    OpenQp = 40,
}

/// <summary>Bits of <see cref="CommandHeader.Command"/> beside the number.</summary>
public static class UverbsCommandFlags
{
    public const uint NumberMask = 0xff;
    public const uint Extended = 0x80000000;
}
