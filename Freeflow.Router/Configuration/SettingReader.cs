using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace Freeflow.Router.Configuration;

/// <summary>Reads single settings below freeflow { } and says what is wrong with one.</summary>
internal sealed class SettingReader(Config config)
{
    public string Text(string key)
    {
        try
        {
            return config.GetString("freeflow." + key, null) ?? throw Wrong(key, "nothing", "a text");
        }
        catch (Exception error) when (error is not ConfigurationException)
        {
            throw Wrong(key, "a list or an object", "a text");
        }
    }

    public string Name(string key)
    {
        var value = Text(key);
        return value.Length is > 0 and <= 64 && value.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.') && value[0] != '.'
            ? value
            : throw Wrong(key, value, "1 to 64 letters, digits, '-', '_' or '.', not starting with '.'");
    }

    public string AbsolutePath(string key)
    {
        var value = Text(key);
        return Path.IsPathFullyQualified(value) ? value : throw Wrong(key, value, "an absolute path");
    }

    public int Number(string key, int least, int most)
    {
        var value = Text(key);
        return int.TryParse(value, out var number) && number >= least && number <= most
            ? number
            : throw Wrong(key, value, $"a whole number from {least} to {most}");
    }

    public bool Switch(string key) => Text(key).ToLowerInvariant() switch
    {
        "true" or "on" or "yes" => true,
        "false" or "off" or "no" => false,
        var value => throw Wrong(key, value, "true or false"),
    };

    public long Bytes(string key)
    {
        var value = Text(key);
        try
        {
            if (config.GetByteSize("freeflow." + key, -1) is { } bytes and > 0)
                return bytes;
        }
        catch (Exception error) when (error is FormatException or ArgumentException or OverflowException)
        {
        }

        throw Wrong(key, value, "a size such as 512m or 8g");
    }

    public TimeSpan Time(string key)
    {
        var value = Text(key);
        try
        {
            var time = config.GetTimeSpan("freeflow." + key, null, allowInfinite: false);
            if (time > TimeSpan.Zero)
                return time;
        }
        catch (Exception error) when (error is FormatException or ArgumentException or OverflowException)
        {
        }

        throw Wrong(key, value, "a time such as 500ms or 5s");
    }

    public string OneOf(string key, params string[] accepted)
    {
        var value = Text(key);
        return accepted.Contains(value) ? value : throw Wrong(key, value, string.Join(", ", accepted));
    }

    public IReadOnlyList<string> List(string key)
    {
        var value = config.GetValue("freeflow." + key);
        return IsList(value) ? [.. value.GetStringList()] : throw Wrong(key, value.IsString() ? value.GetString() : "something else", "a list, such as [\"192.168.50.1\"]");
    }

    /// <summary>Akka takes a text for a list with nothing in it, and such a list for no list.</summary>
    public static bool IsList(HoconValue value) => !value.IsString() && !value.IsObject();

    public static ConfigurationException Wrong(string key, string value, string accepted) =>
        new($"freeflow.{key} = \"{value.ReplaceLineEndings(" ")}\" is not accepted: expected {accepted}");
}
