using System.Runtime.InteropServices;
using Freeflow.Fuzz.Channel;
using Freeflow.Verbs.Abi;

namespace Freeflow.Fuzz.Objects;

/// <summary>Takes note of what a command that succeeded has done, by what was really sent; objects to what must not succeed.</summary>
internal static class Bookkeeping
{
    public static void Note(Scene scene, Device device, byte[] command, Answer answer)
    {
        var header = MemoryMarshal.Read<CommandHeader>(command);
        var body = Commands.BodyOf(command);
        var isExtended = (header.Command & UverbsCommandFlags.Extended) != 0;
        var objects = device.Objects;
        var number = (UverbsCommand)(header.Command & UverbsCommandFlags.NumberMask);
        switch (number)
        {
            case UverbsCommand.GetContext:
                foreach (var descriptor in answer.Descriptors)
                    device.Keep(scene.Duplicate(descriptor));
                break;
            case UverbsCommand.CreateCompChannel when answer.Descriptors.Count == 1:
                device.Channels.Add(scene.Duplicate(answer.Descriptors[0]));
                break;
            case UverbsCommand.AllocPd:
                objects.Add(new DeviceObject(Kind.Domain, Read<AllocPdResponse>(answer).PdHandle));
                break;
            case UverbsCommand.RegMr:
                var region = MemoryMarshal.Read<RegMrCommand>(body);
                scene.Arena.Give(region.Start, region.Length);
                var keys = Read<RegMrResponse>(answer);
                objects.Add(new DeviceObject(Kind.Region, keys.MrHandle)
                {
                    LocalKey = keys.Lkey, RemoteKey = keys.Rkey, Start = region.HcaVa, Length = region.Length, Domain = region.PdHandle,
                });
                break;
            case UverbsCommand.AllocMw:
                var window = Read<AllocMwResponse>(answer);
                objects.Add(new DeviceObject(Kind.Window, window.MwHandle) { Number = window.Rkey, RemoteKey = window.Rkey });
                break;
            case UverbsCommand.CreateAh:
                // The kernel asks for room for the core's part only.
                if (!PartialStructure.TryRead<CreateAhResponse>(answer.Payload, sizeof(uint), out var handle))
                    throw new FindingException("an address handle without a handle");
                objects.Add(new DeviceObject(Kind.AddressHandle, handle.AhHandle) { Number = handle.AhNumber });
                break;
            case UverbsCommand.CreateCq:
                objects.Add(new DeviceObject(Kind.CompletionQueue, Read<CreateCqResponse>(answer).CqHandle)
                {
                    Ring = MapAt(device, answer, isExtended ? Marshal.SizeOf<ExCreateCqResponse>() : Marshal.SizeOf<CreateCqResponse>()),
                });
                break;
            case UverbsCommand.ResizeCq:
                var resized = objects.MustHave(Kind.CompletionQueue, MemoryMarshal.Read<ResizeCqCommand>(body).CqHandle);
                var ring = MapAt(device, answer, Marshal.SizeOf<ResizeCqResponse>());
                resized.Ring?.Dispose();
                resized.Ring = ring;
                break;
            case UverbsCommand.CreateSrq or UverbsCommand.CreateXsrq:
                objects.Add(new DeviceObject(Kind.SharedQueue, Read<CreateSrqResponse>(answer).SrqHandle)
                {
                    Ring = MapAt(device, answer, Marshal.SizeOf<CreateSrqResponse>()),
                });
                break;
            case UverbsCommand.ModifySrq:
                objects.MustHave(Kind.SharedQueue, MemoryMarshal.Read<ModifySrqCommand>(body).SrqHandle);
                break;
            case UverbsCommand.QuerySrq:
                objects.MustHave(Kind.SharedQueue, MemoryMarshal.Read<QuerySrqCommand>(body).SrqHandle);
                break;
            case UverbsCommand.CreateQp:
                AddQueuePair(device, body, answer, isExtended);
                break;
            case UverbsCommand.QueryQp:
                objects.MustHave(Kind.QueuePair, MemoryMarshal.Read<QueryQpCommand>(body).QpHandle);
                break;
            case UverbsCommand.ModifyQp:
                objects.MustHave(Kind.QueuePair, MemoryMarshal.Read<ModifyQpCommand>(body).QpHandle);
                break;
            case UverbsCommand.AttachMcast or UverbsCommand.DetachMcast:
                objects.MustHave(Kind.QueuePair, MemoryMarshal.Read<MulticastCommand>(body).QpHandle);
                break;
            case UverbsCommand.ReregMr:
                objects.MustHave(Kind.Region, MemoryMarshal.Read<ReregMrCommand>(body).MrHandle);
                break;
            case UverbsCommand.DeallocPd:
                objects.Remove(Kind.Domain, MemoryMarshal.Read<uint>(body));
                break;
            case UverbsCommand.DeregMr:
                objects.Remove(Kind.Region, MemoryMarshal.Read<uint>(body));
                break;
            case UverbsCommand.DeallocMw:
                objects.Remove(Kind.Window, MemoryMarshal.Read<uint>(body));
                break;
            case UverbsCommand.DestroyAh:
                objects.Remove(Kind.AddressHandle, MemoryMarshal.Read<uint>(body));
                break;
            case UverbsCommand.DestroyCq:
                objects.Remove(Kind.CompletionQueue, MemoryMarshal.Read<DestroyCqCommand>(body).CqHandle);
                break;
            case UverbsCommand.DestroySrq:
                objects.Remove(Kind.SharedQueue, MemoryMarshal.Read<DestroySrqCommand>(body).SrqHandle);
                break;
            case UverbsCommand.DestroyQp:
                objects.Remove(Kind.QueuePair, MemoryMarshal.Read<DestroyQpCommand>(body).QpHandle);
                break;
            case UverbsCommand.QueryDevice or UverbsCommand.QueryPort or UverbsCommand.PostSend or UverbsCommand.ReqNotifyCq:
                break;
            default:
                throw new FindingException($"command {header.Command:x} succeeded, which an rxe device does not have");
        }
    }

    private static void AddQueuePair(Device device, ReadOnlySpan<byte> body, Answer answer, bool isExtended)
    {
        var made = Read<CreateQpResponse>(answer);
        var asked = default(CreateQpCommand);

        // The extended command begins without the response's address.
        var fields = MemoryMarshal.AsBytes(new Span<CreateQpCommand>(ref asked));
        var plain = isExtended ? fields[sizeof(ulong)..] : fields;
        body[..Math.Min(body.Length, plain.Length)].CopyTo(plain);
        var rings = isExtended ? Marshal.SizeOf<ExCreateQpResponse>() : Marshal.SizeOf<CreateQpResponse>();
        device.Objects.Add(new DeviceObject(Kind.QueuePair, made.QpHandle)
        {
            Number = made.QpNumber,
            Type = asked.QpType,
            Domain = asked.PdHandle,
            Ring = MapAt(device, answer, rings),
            SendRing = MapAt(device, answer, rings + Marshal.SizeOf<MmapInfo>()),
        });
    }

    private static MappedRing? MapAt(Device device, Answer answer, int offset) =>
        MemoryMarshal.TryRead<MmapInfo>(answer.Payload.AsSpan(Math.Min(offset, answer.Payload.Length)), out var place) ? device.Map(place) : null;

    private static T Read<T>(Answer answer)
        where T : struct => MemoryMarshal.TryRead<T>(answer.Payload, out var response)
            ? response
            : throw new FindingException($"an answer of {answer.Payload.Length} bytes in the place of a {typeof(T).Name}");
}
