using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CsCheck;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Tests.Connections;

/// <summary>The errno for commands that are malformed before anybody looks at what they ask for (verify_hdr in uverbs_main.c).</summary>
public sealed class CommandsAreRefusedAsTheKernelDoes
{
    private const uint Extended = 0x80000000;

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void LessThanAHeaderIsInvalid(int bytes) => Assert.Equal(Errno.EINVAL, UverbsMethods.Refuse(new byte[bytes]));

    [Fact]
    public void AWholeCommandIsTaken() => Assert.Equal(0, UverbsMethods.Refuse(Plain((uint)UverbsCommand.AllocMw, 16, 8)));

    [Theory]
    [InlineData(12, 8, Errno.ENOSPC)]
    [InlineData(16, 4, Errno.ENOSPC)]
    [InlineData(15, 8, Errno.EINVAL)]
    public void ShortOnesAreNot(int request, int response, int errno) =>
        Assert.Equal(errno, UverbsMethods.Refuse(Plain((uint)UverbsCommand.AllocMw, request, response)));

    [Theory]
    [InlineData((uint)UverbsCommand.PollCq, Errno.EOPNOTSUPP)]
    [InlineData((uint)UverbsCommand.PostSrqRecv, Errno.EOPNOTSUPP)]
    [InlineData((uint)UverbsCommand.OpenXrcd, Errno.EOPNOTSUPP)]
    [InlineData(100u, Errno.EOPNOTSUPP)]
    [InlineData(0x100u, Errno.EINVAL)]
    public void WhatTheDeviceDoesNotHave(uint command, int errno) => Assert.Equal(errno, UverbsMethods.Refuse(Plain(command, 64, 64)));

    [Fact]
    public void AnExtendedOneMayBeShorterThanAllThatItCanSay()
    {
        Assert.Equal(0, UverbsMethods.Refuse(Long(UverbsCommand.CreateQp, 56, 40)));
        Assert.Equal(0, UverbsMethods.Refuse(Long(UverbsCommand.CreateQp, 64, 40)));
        Assert.Equal(Errno.ENOSPC, UverbsMethods.Refuse(Long(UverbsCommand.CreateQp, 48, 40)));
        Assert.Equal(Errno.ENOSPC, UverbsMethods.Refuse(Long(UverbsCommand.CreateQp, 64, 32)));
    }

    [Fact]
    public void AnExtendedOneMayBeLongerIfItAsksForNothingByIt()
    {
        var longer = Long(UverbsCommand.CreateCq, 40, 16);
        Assert.Equal(0, UverbsMethods.Refuse(longer));
        longer[^1] = 1;
        Assert.Equal(Errno.EOPNOTSUPP, UverbsMethods.Refuse(longer));
    }

    [Fact]
    public void AnExtendedOnesResponseNeedsRoomAndAPlace()
    {
        Assert.Equal(Errno.EINVAL, UverbsMethods.Refuse(Long(UverbsCommand.CreateCq, 32, 0)));
        var nowhere = Long(UverbsCommand.CreateCq, 32, 16);
        nowhere.AsSpan(8, 8).Clear();
        Assert.Equal(Errno.EINVAL, UverbsMethods.Refuse(nowhere));
    }

    /// <summary>What is let through is as long as its handler reads.</summary>
    [Fact]
    public void NoBytesAreTooStrange() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
            UverbsMethods.Refuse(bytes) != 0 || UverbsCall.TryParse(bytes) is { Body.Length: > 0 });

    private static byte[] Plain(uint command, int request, int response)
    {
        var bytes = new byte[8 + request];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, command);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), (ushort)(bytes.Length / 4));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), (ushort)(response / 4));
        return bytes;
    }

    private static byte[] Long(UverbsCommand command, int request, int response)
    {
        var bytes = new byte[8 + Marshal.SizeOf<ExtendedCommandHeader>() + request];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Extended | (uint)command);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), (ushort)(request / 8));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), (ushort)(response / 8));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), 4096);
        return bytes;
    }
}
