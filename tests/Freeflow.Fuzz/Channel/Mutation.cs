using System.Runtime.InteropServices;
using Freeflow.Fuzz.Memory;
using Freeflow.Fuzz.Sequences;
using Freeflow.Verbs.Abi;

namespace Freeflow.Fuzz.Channel;

/// <summary>Spoils a command, more often not.</summary>
internal static class Mutation
{
    private const int Header = Commands.HeaderBytes;

    /// <param name="command">The whole command.</param>
    /// <param name="choices">Whether, and how.</param>
    /// <param name="isSpoilt">Whether anything was done.</param>
    public static byte[] Apply(byte[] command, Choices choices, out bool isSpoilt)
    {
        var how = choices.Below(64) - 44;
        isSpoilt = how >= 13;
        switch (how)
        {
            case 13 or 14 when command.Length > Header:
                for (var left = choices.Below(3); left >= 0; left--)
                    command[Header + choices.Below(command.Length - Header)] ^= (byte)(1 << choices.Below(8));
                break;
            case 15 or 16 when command.Length >= Header + sizeof(uint):
                MemoryMarshal.Write(command.AsSpan(Header + (choices.Below((command.Length - Header) / sizeof(uint)) * sizeof(uint))), (uint)choices.Edge());
                break;
            case 17:
                command = Cut(command, choices);
                break;
            case 18:
                Half(command, 4 + (choices.Below(2) * 2)) = (ushort)choices.Edge();
                break;
            case 19:
                command[choices.Below(Header)] ^= (byte)(1 << choices.Below(8));
                break;
        }

        return command;
    }

    /// <summary>No request may reach what the process itself needs.</summary>
    public static void Tame(byte[] command)
    {
        if (command.Length < Header)
            return;
        var number = (UverbsCommand)(MemoryMarshal.Read<uint>(command) & UverbsCommandFlags.NumberMask);
        if (number is UverbsCommand.RegMr or UverbsCommand.ReregMr && command.Length >= Header + 24)
        {
            var start = Header + (number == UverbsCommand.RegMr ? 8 : 16);
            if (command.Length >= start + 16)
                MemoryMarshal.Write(command.AsSpan(start), Arena.Tame(MemoryMarshal.Read<ulong>(command.AsSpan(start)), MemoryMarshal.Read<ulong>(command.AsSpan(start + 8))));
        }
        else if (number == UverbsCommand.ModifySrq && command.Length >= Header + 24)
        {
            var place = command.AsSpan(Header + 16);
            MemoryMarshal.Write(place, Arena.Tame(MemoryMarshal.Read<ulong>(place), 16));
        }
    }

    /// <summary>Another length, with a header that says so or one that does not.</summary>
    private static byte[] Cut(byte[] command, Choices choices)
    {
        var length = choices.Below(command.Length + 64);
        Array.Resize(ref command, length);
        if (length >= Header && choices.OneIn(2))
            Half(command, 4) = (ushort)(length / (choices.OneIn(4) ? 8 : 4));
        return command;
    }

    private static ref ushort Half(byte[] bytes, int offset) => ref MemoryMarshal.AsRef<ushort>(bytes.AsSpan(offset, sizeof(ushort)));
}
