using System.Globalization;
using Google.Protobuf;

namespace Freeflow.EndToEnd.Tests.Collector;

/// <summary>ExportTraceServiceRequest of opentelemetry/proto/collector/trace/v1, as far as the tests look at it.</summary>
internal static class TraceRequest
{
    public static List<ReceivedSpan> Read(byte[] request, string protocol)
    {
        var spans = new List<ReceivedSpan>();
        foreach (var resourceSpans in Fields(request).Where(field => field.Number == 1))
        {
            var parts = Fields(resourceSpans.Bytes).ToList();
            var resource = parts.Where(field => field.Number == 1).SelectMany(field => Attributes(field.Bytes, 1)).ToDictionary();
            foreach (var scopeSpans in parts.Where(field => field.Number == 2))
                spans.AddRange(Fields(scopeSpans.Bytes).Where(field => field.Number == 2).Select(field => Span(field.Bytes, resource, protocol)));
        }

        return spans;
    }

    private static ReceivedSpan Span(byte[] span, Dictionary<string, string> resource, string protocol)
    {
        var fields = Fields(span).ToLookup(field => field.Number);
        string Hexadecimal(int number) => string.Concat(fields[number].Select(field => Convert.ToHexStringLower(field.Bytes)));
        ulong Value(int number) => fields[number].LastOrDefault().Value;
        return new ReceivedSpan(
            protocol, resource, string.Concat(fields[5].Select(Text)), Hexadecimal(1), Hexadecimal(2), Hexadecimal(4), (long)Value(6), Value(8) - Value(7),
            (long)fields[15].SelectMany(field => Fields(field.Bytes)).LastOrDefault(field => field.Number == 3).Value, Attributes(span, 9).ToDictionary());
    }

    /// <summary>KeyValue, in a field of a message's.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Attributes(byte[] message, int number)
    {
        foreach (var entry in Fields(message).Where(field => field.Number == number))
        {
            var parts = Fields(entry.Bytes).ToList();
            var value = parts.Where(field => field.Number == 2).SelectMany(field => Fields(field.Bytes)).LastOrDefault();
            yield return new(
                string.Concat(parts.Where(field => field.Number == 1).Select(Text)),
                value.Number == 1 ? Text(value) : value.Value.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static string Text(Field field) => System.Text.Encoding.UTF8.GetString(field.Bytes);

    private static List<Field> Fields(byte[] message)
    {
        var fields = new List<Field>();
        var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag and not 0)
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            fields.Add(WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => new Field(number, input.ReadUInt64(), []),
                WireFormat.WireType.Fixed64 => new Field(number, input.ReadFixed64(), []),
                WireFormat.WireType.Fixed32 => new Field(number, input.ReadFixed32(), []),
                WireFormat.WireType.LengthDelimited => new Field(number, 0, input.ReadBytes().ToByteArray()),
                var other => throw new InvalidDataException($"a field of wire type {other}"),
            });
        }

        return fields;
    }

    private readonly record struct Field(int Number, ulong Value, byte[] Bytes);
}
