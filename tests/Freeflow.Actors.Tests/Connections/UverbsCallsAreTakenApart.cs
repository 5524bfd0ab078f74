using System.Buffers.Binary;
using CsCheck;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;

namespace Freeflow.Actors.Tests.Connections;

public sealed class UverbsCallsAreTakenApart
{
    [Fact]
    public void APlainCommandGivesItsNumberBodyAndRoom()
    {
        var call = UverbsCall.TryParse(Command(UverbsCommand.DeallocPd, inWords: 3, outWords: 4, body: 4));
        Assert.NotNull(call);
        Assert.Equal((UverbsCommand.DeallocPd, false, 4, 16), (call.Command, call.IsExtended, call.Body.Length, call.Room));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void LessThanAHeaderIsNoCommand(int bytes) => Assert.Null(UverbsCall.TryParse(new byte[bytes]));

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(ushort.MaxValue)]
    public void ALengthThatIsNotTheMessagesIsNoCommand(ushort inWords) =>
        Assert.Null(UverbsCall.TryParse(Command(UverbsCommand.DeallocPd, inWords, outWords: 0, body: 4)));

    [Fact]
    public void ABodyThatIsTooShortCanNotBeRead() =>
        Assert.False(UverbsCall.TryParse(Command(UverbsCommand.DeallocPd, inWords: 2, outWords: 0, body: 0))!.TryRead<DeallocPdCommand>(out _));

    [Fact]
    public void NoBytesAreTooStrange() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            var call = UverbsCall.TryParse(bytes);
            return call is null || (call.Body.Length <= bytes.Length && call.Room >= 0);
        });

    private static byte[] Command(UverbsCommand command, ushort inWords, ushort outWords, int body)
    {
        var bytes = new byte[8 + body];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)command);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), inWords);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), outWords);
        return bytes;
    }
}
