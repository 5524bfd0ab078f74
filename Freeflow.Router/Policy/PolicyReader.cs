using System.Net;
using System.Net.Sockets;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Policy;

/// <summary>Makes of a policy's text what it says; docs/policy.md has its keys.</summary>
internal sealed class PolicyReader
{
    /// <summary>Of a policy, in bytes.</summary>
    public const int MaximumBytes = 256 * 1024;

    private const int LongestName = 64;
    private const int LargestPort = 65535;

    private readonly List<(AddressRange Range, string Tenant, PolicyNode Where)> _ranges = [];
    private readonly List<PolicyTenant> _tenants = [];

    private readonly ContainerLabels? _labels;

    private PolicyReader(ContainerLabels? labels) => _labels = labels;

    /// <summary>Throws <see cref="Actors.Policy.PolicyException"/> for the first thing that is wrong.</summary>
    /// <param name="text">The policy.</param>
    /// <param name="labels">Null where nobody says who has which: tenants can't be told by them then.</param>
    public static AccessPolicy Read(string text, ContainerLabels? labels = null) => new PolicyReader(labels).Read(PolicyText.Parse(text));

    private AccessPolicy Read(PolicyObject file)
    {
        Keys(file, "a policy", "tenants", "allow", "containers", "container-limits");
        if (file["tenants"] is { } tenants)
        {
            var all = Object(tenants, "tenants", "{ NAME { … } }");
            foreach (var name in all.Keys)
                _tenants.Add(Tenant(name, all));
        }

        var rules = new List<PolicyRule>();
        foreach (var item in List(file, "allow"))
            rules.Add(Rule(Object(item, "a rule", "{ from = …, to = … }"), rules.Count + 1));
        var containers = new List<PolicyContainer>();
        foreach (var item in List(file, "containers"))
        {
            var entry = Object(item, "an entry of containers", "{ addresses = […], limits { … } }");
            Keys(entry, "an entry of containers", "addresses", "limits");
            if (entry["addresses"] is not { } addresses)
                throw entry.Wrong("an entry of containers needs addresses = [\"…\"]");
            containers.Add(new PolicyContainer([.. Values(addresses, "addresses").Select(Range)], Limits(entry, "limits")));
        }

        return new AccessPolicy(_tenants, rules, containers, Limits(file, "container-limits"), _labels);
    }

    private PolicyTenant Tenant(string name, PolicyObject all)
    {
        var (line, column) = all.PlaceOf(name);
        if (name.Length is 0 or > LongestName || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.'))
            throw new Actors.Policy.PolicyException(line, column, $"\"{Shown(name)}\" is no tenant's name: 1 to {LongestName} letters, digits, '-', '_' or '.'");
        if (name == "any")
            throw new Actors.Policy.PolicyException(line, column, "\"any\" stands for everybody in rules: give the tenant another name");
        var tenant = Object(all[name]!, $"tenant {name}", "{ addresses = […] }");
        Keys(tenant, $"tenant {name}", "addresses", "labels", "allow-within", "limits", "container-limits");
        var ranges = new List<AddressRange>();
        foreach (var value in tenant["addresses"] is { } addresses ? Values(addresses, "addresses") : [])
        {
            var range = Range(value);
            if (name == PolicyTenant.DefaultName)
                throw value.Wrong("tenant default has no addresses: it is for all that are in no other's");
            foreach (var (other, owner, where) in _ranges)
            {
                if (other.Overlaps(range))
                    throw value.Wrong($"{range} overlaps with {other} of tenant {owner} on line {where.Line}: an address belongs to one tenant, once");
            }

            _ranges.Add((range, name, value));
            ranges.Add(range);
        }

        return new PolicyTenant(name, ranges, Switch(tenant, "allow-within"), Limits(tenant, "limits"), Limits(tenant, "container-limits"))
        {
            Labels = tenant["labels"] is { } labels ? Labels(name, labels) : [],
        };
    }

    private List<string> Labels(string name, PolicyNode node)
    {
        if (name == PolicyTenant.DefaultName)
            throw node.Wrong("tenant default has no labels: it is for all that are in no other's");
        if (_labels is null)
            throw node.Wrong("nobody says who has which labels: there is no file of them (freeflow.policy.labels)");
        var labels = new List<string>();
        foreach (var value in Values(node, "labels"))
            labels.Add(LabelFile.IsLabel(value.Text) ? value.Text : throw value.Wrong($"\"{Shown(value.Text)}\" is no label: expected KEY=VALUE without spaces, such as namespace=shop"));
        return labels.Count > 0 ? labels : throw node.Wrong("labels is empty: everybody would have them all");
    }

    private PolicyRule Rule(PolicyObject rule, int number)
    {
        Keys(rule, "a rule", "name", "from", "to", "ports", "mode");
        var name = rule["name"] is { } given ? Text(given, "name") : "";
        if (name.Length > LongestName)
            throw rule["name"]!.Wrong($"a rule's name has at most {LongestName} letters");
        return new PolicyRule(
            name.Length > 0 ? $"\"{name}\" (line {rule.Line})" : $"{number} (line {rule.Line})",
            Subjects(rule, "from"),
            Subjects(rule, "to"),
            rule["ports"] is { } ports ? [.. Values(ports, "ports").Select(Ports)] : [],
            rule["mode"] is { } mode ? Mode(mode) : PolicyMode.Both);
    }

    private static PolicyMode Mode(PolicyNode node) => Text(node, "mode") switch
    {
        "rdma" => PolicyMode.Rdma,
        "tcp" => PolicyMode.Tcp,
        "both" => PolicyMode.Both,
        var other => throw node.Wrong($"mode \"{Shown(other)}\" is not known: rdma, tcp or both"),
    };

    private static PortSpan Ports(PolicyValue value)
    {
        var parts = value.Text.Split('-', StringSplitOptions.TrimEntries);
        if (parts.Length is 1 or 2 && int.TryParse(parts[0], out var first) && int.TryParse(parts[^1], out var last)
            && first is > 0 and <= LargestPort && last <= LargestPort && first <= last)
            return new PortSpan(first, last);
        throw value.Wrong($"\"{Shown(value.Text)}\" is no port: expected 1 to {LargestPort}, or a span such as 8000-8100");
    }

    private List<PolicySubject> Subjects(PolicyObject rule, string key)
    {
        if (rule[key] is not { } node)
            throw rule.Wrong($"a rule needs {key}: a tenant, an address, a network, or any");
        var subjects = new List<PolicySubject>();
        foreach (var value in Values(node, key))
        {
            if (value.Text == "any")
                subjects.Add(PolicySubject.Anybody);
            else if (value.Text == PolicyTenant.DefaultName || _tenants.Exists(tenant => tenant.Name == value.Text))
                subjects.Add(new PolicySubject(value.Text, null));
            else if (value.Text.AsSpan().IndexOfAny('/', ':') >= 0 || IPAddress.TryParse(value.Text, out _))
                subjects.Add(new PolicySubject(null, Range(value)));
            else
                throw value.Wrong($"there is no tenant \"{Shown(value.Text)}\": {key} takes {string.Join(", ", _tenants.Select(tenant => tenant.Name).Append("default").Distinct())}, any, an address or a network");
        }

        return subjects.Count > 0 ? subjects : throw node.Wrong($"{key} is empty: a rule for nobody");
    }

    private static AddressRange Range(PolicyValue value)
    {
        var slash = value.Text.IndexOf('/');
        var written = slash < 0 ? value.Text : value.Text[..slash];
        // As it is written out: "10.244" would be 10.0.0.244.
        if (!IPAddress.TryParse(written, out var address) || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != written))
            throw value.Wrong($"\"{Shown(value.Text)}\" is no address: expected one such as 10.244.1.11, or a network such as 10.244.1.0/24");
        var most = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var bits = most;
        if (slash >= 0 && (!int.TryParse(value.Text.AsSpan(slash + 1), out bits) || bits < 0 || bits > most))
            throw value.Wrong($"\"{Shown(value.Text)}\" has no prefix length: expected 0 to {most} behind the /");
        var range = AddressRange.Of(address, bits);
        return range.BeginsWith(address) ? range : throw value.Wrong($"{written} is within the network: write {range}");
    }

    private static PolicyLimits Limits(PolicyObject owner, string key)
    {
        if (owner[key] is not { } node)
            return PolicyLimits.None;
        var limits = Object(node, key, "{ bandwidth = 10Gbit, … }");
        Keys(limits, key, "bandwidth", "messages-per-second", "queue-pairs", "memory-regions", "registered-bytes", "connections");
        return new PolicyLimits
        {
            Bandwidth = Amount(limits, "bandwidth", PolicyUnits.Rate, 8000, "a rate with its unit, such as 10Gbit, 500Mbit or 64kbit, at least 64kbit"),
            MessagesPerSecond = Amount(limits, "messages-per-second", WholeLong, 1, "a whole number from 1"),
            QueuePairs = (int?)Amount(limits, "queue-pairs", Whole, 0, "a whole number from 0"),
            MemoryRegions = (int?)Amount(limits, "memory-regions", Whole, 0, "a whole number from 0"),
            RegisteredBytes = Amount(limits, "registered-bytes", PolicyUnits.Size, 0, "a size such as 512m or 8g"),
            Connections = (int?)Amount(limits, "connections", Whole, 0, "a whole number from 0"),
        };
    }

    private static long? Whole(string text) => int.TryParse(text, System.Globalization.NumberStyles.None, null, out var number) ? number : null;

    private static long? WholeLong(string text) => long.TryParse(text, System.Globalization.NumberStyles.None, null, out var number) ? number : null;

    private static long? Amount(PolicyObject limits, string key, Func<string, long?> read, long least, string accepted)
    {
        if (limits[key] is not { } node)
            return null;
        var text = Text(node, key);
        return read(text) is { } amount && amount >= least ? amount : throw node.Wrong($"{key} = \"{Shown(text)}\" is not accepted: expected {accepted}");
    }

    private static bool Switch(PolicyObject owner, string key) => owner[key] is not { } node || Text(node, key) switch
    {
        "true" or "on" or "yes" => true,
        "false" or "off" or "no" => false,
        var other => throw node.Wrong($"{key} = \"{Shown(other)}\" is not accepted: expected true or false"),
    };

    private static void Keys(PolicyObject given, string of, params ReadOnlySpan<string> known)
    {
        foreach (var key in given.Keys)
        {
            if (known.Contains(key))
                continue;
            var (line, column) = given.PlaceOf(key);
            throw new Actors.Policy.PolicyException(line, column, $"{of} has no key \"{Shown(key)}\": there are {string.Join(", ", known!)}");
        }
    }

    private static PolicyObject Object(PolicyNode node, string of, string accepted) =>
        node as PolicyObject ?? throw node.Wrong($"{of} is {node.Kind}: expected {accepted}");

    private static IReadOnlyList<PolicyNode> List(PolicyObject owner, string key) => owner[key] switch
    {
        null => [],
        PolicyList list => list.Items,
        var other => throw other.Wrong($"{key} is {other.Kind}: expected a list, [ … ]"),
    };

    private static string Text(PolicyNode node, string key) => node is PolicyValue value ? value.Text : throw node.Wrong($"{key} is {node.Kind}: expected one value");

    /// <summary>One value, or a list of them.</summary>
    private static IEnumerable<PolicyValue> Values(PolicyNode node, string key) => node switch
    {
        PolicyValue one => [one],
        PolicyList list => list.Items.Select(item => item as PolicyValue ?? throw item.Wrong($"{key} has {item.Kind} in it: expected texts")),
        _ => throw node.Wrong($"{key} is {node.Kind}: expected a list such as [\"10.244.1.0/24\"]"),
    };

    /// <summary>One line of what may be anything.</summary>
    private static string Shown(string text) => Output.Printable.Of(text.Length > LongestName ? text[..LongestName] + "…" : text);
}
