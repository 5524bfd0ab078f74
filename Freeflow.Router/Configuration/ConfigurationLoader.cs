using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace Freeflow.Router.Configuration;

/// <summary>Lays the sources over each other: reference.conf, a file, the environment, the command line.</summary>
public static class ConfigurationLoader
{
    private static readonly (string Variable, string Key)[] s_environment =
    [
        ("FFR_NAME", "freeflow.name"),
        ("FREEFLOW_DIR", "freeflow.directory"),
        ("FREEFLOW_RUNTIME_DIR", "freeflow.runtime-directory"),
        ("HOST_IP", "freeflow.host.ip"),
        ("HOST_IP_PREFIX", "freeflow.host.prefix"),
        ("FREEFLOW_SEED_FILE", "freeflow.cluster.seed-file"),
        ("FREEFLOW_SEED_NAME", "freeflow.cluster.seed-name"),
        ("FREEFLOW_LOG_LEVEL", "freeflow.log-level"),
        ("FREEFLOW_TLS_CA", "freeflow.tls.ca"),
        ("FREEFLOW_TLS_CERTIFICATE", "freeflow.tls.certificate"),
        ("FREEFLOW_TLS_KEY", "freeflow.tls.key"),
        ("FREEFLOW_SHIM_INSTALL_TO", "freeflow.shim.install-to"),
    ];

    /// <summary>Throws <see cref="ConfigurationException"/>.</summary>
    public static Config Load(string? file, IReadOnlyList<string> settings, Func<string, string?> environment)
    {
        var reference = Read(Path.Combine(AppContext.BaseDirectory, "hocon", "reference.conf"));
        var over = file is null ? Config.Empty : Read(file);
        foreach (var (variable, key) in s_environment)
        {
            if (environment(variable) is { Length: > 0 } value)
                over = Set(key, value).WithFallback(over);
        }

        if (environment("FREEFLOW_SEEDS") is { Length: > 0 } seeds)
            over = SetList("freeflow.cluster.seeds", seeds).WithFallback(over);
        foreach (var setting in settings)
        {
            var at = setting.IndexOf('=');
            if (at <= 0)
                throw new ConfigurationException($"--set \"{setting}\" is not accepted: expected key=value");
            var (key, value) = (setting[..at].Trim(), setting[(at + 1)..].Trim());
            over = (IsList(reference, key) ? SetList(key, value) : Set(key, value)).WithFallback(over);
        }

        RequireKnown(over, reference);
        return over.WithFallback(reference);
    }

    private static Config Read(string file)
    {
        try
        {
            var text = File.ReadAllText(file);
            if (HoconBrackets.Check(text) is { } wrong)
                throw new ConfigurationException($"{file} is no HOCON: {wrong}");
            return ConfigurationFactory.ParseString(text);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"--config \"{file}\" can't be read: {error.Message}");
        }
        catch (Exception error) when (error is not ConfigurationException)
        {
            throw new ConfigurationException($"{file} is no HOCON: {error.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static Config Set(string key, string value)
    {
        if (!IsKey(key))
            throw new ConfigurationException($"\"{key}\" is no key: expected something like freeflow.link.port");
        return ConfigurationFactory.ParseString($"{key} = {Quote(value)}");
    }

    private static bool IsList(Config reference, string key) => IsKey(key) && reference.HasPath(key) && SettingReader.IsList(reference.GetValue(key));

    /// <summary>Values are separated by commas.</summary>
    private static Config SetList(string key, string values) => ConfigurationFactory.ParseString(
        $"{key} = [{string.Join(", ", values.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Quote))}]");

    private static bool IsKey(string text) => text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');

    private static string Quote(string value) => "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    /// <summary>A key that nobody reads is a typing error, and those are told rather than passed over.</summary>
    private static void RequireKnown(Config given, Config reference)
    {
        var known = Keys(reference).ToHashSet();
        foreach (var key in Keys(given))
        {
            if (!known.Contains(key))
                throw new ConfigurationException($"{key} is not accepted: no such setting; hocon/reference.conf lists them all");
        }
    }

    private static IEnumerable<string> Keys(Config config)
    {
        if (config.IsEmpty || !config.HasPath("freeflow"))
            return [];
        var root = config.GetConfig("freeflow").Root;
        if (!root.IsObject())
            throw new ConfigurationException("freeflow is not accepted: expected { settings }");
        return Keys("freeflow", root);
    }

    private static IEnumerable<string> Keys(string prefix, HoconValue value)
    {
        foreach (var (name, child) in value.GetObject().Items)
        {
            var key = prefix + "." + name;
            if (child.IsObject())
            {
                foreach (var below in Keys(key, child))
                    yield return below;
            }
            else
            {
                yield return key;
            }
        }
    }
}
