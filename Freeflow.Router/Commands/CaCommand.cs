using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Freeflow.Router.Certificates;
using Freeflow.Router.Output;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow ca`: the private CA of a cluster, and the certificates of its hosts.</summary>
internal static class CaCommand
{
    private const int LongestDays = 36_500;
    private const int AuthorityDays = 3650;
    private const int HostDays = 365;
    private const int LongestName = 64;

    public static Command Create() => new("ca", "Makes and shows the certificates by which routers know each other") { Init(), Issue(), Show() };

    private static Command Init()
    {
        var directory = new Argument<string>("DIR") { Description = "Where the CA is to be; it is made when it is not there" };
        var name = new Option<string>("--name") { Description = "What the CA is called", DefaultValueFactory = _ => $"Freeflow CA {DateTime.UtcNow:yyyy-MM-dd HH:mm:ss}" };
        name.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && result.Tokens[0].Value is var text && (text.Length is 0 or > LongestName || text.Any(char.IsControl)))
                result.AddError($"--name has to have 1 to {LongestName} characters, and no controls");
        });
        var days = Days(AuthorityDays);
        var command = new Command("init", "Makes a CA") { directory, name, days };
        command.SetAction(parsed => Guarded(() =>
        {
            var path = CertificateAuthority.Create(parsed.GetRequiredValue(directory), parsed.GetRequiredValue(name), parsed.GetValue(days), TimeProvider.System);
            Console.WriteLine($"{path}: for freeflow.tls.ca of every router");
        }));
        return command;
    }

    private static Command Issue()
    {
        var directory = new Argument<string>("DIR") { Description = "Where the CA is" };
        var name = new Argument<string>("NAME") { Description = "The host's name" };
        name.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !IsName(result.Tokens[0].Value))
                result.AddError($"'{Printable.Of(result.Tokens[0].Value)}' is no name: expected 1 to {LongestName} letters, digits, '-' or '.', beginning and ending with a letter or a digit");
        });
        var addresses = new Option<string[]>("--address") { Description = "Where the certificate is good, an IP address of the host's on the underlay; may be given several times; none: everywhere" };
        addresses.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!IPAddress.TryParse(token.Value, out _))
                    result.AddError($"'{Printable.Of(token.Value)}' is no IP address");
            }
        });
        var days = Days(HostDays);
        var into = new Option<string?>("--out") { Description = "Where to put it, instead of beside the CA" };
        var command = new Command("issue", "Issues a host's certificate") { directory, name, addresses, days, into };
        command.SetAction(parsed => Guarded(() =>
        {
            using var authority = CertificateAuthority.Open(parsed.GetRequiredValue(directory), TimeProvider.System);
            var (certificate, key) = authority.Issue(
                parsed.GetRequiredValue(name), [.. (parsed.GetValue(addresses) ?? []).Select(IPAddress.Parse)], parsed.GetValue(days), parsed.GetValue(into));
            Console.WriteLine($"{certificate}: for freeflow.tls.certificate of this host");
            Console.WriteLine($"{key}: for freeflow.tls.key of this host, and for nobody else");
        }));
        return command;
    }

    private static Command Show()
    {
        var path = new Argument<string>("PATH") { Description = "A file with certificates, or a directory with such" };
        var json = RouterQuery.Json();
        var command = new Command("show", "Shows what certificates say") { path, json };
        command.SetAction(parsed => Guarded(() =>
        {
            var reports = CertificateReport.Read(parsed.GetRequiredValue(path), DateTimeOffset.UtcNow);
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(reports));
            else
                Write(reports);
        }));
        return command;
    }

    private static void Write(IReadOnlyList<CertificateReport> reports)
    {
        var listing = new Listing("FILE", "SUBJECT", "ISSUER", "ADDRESSES", "UNTIL", "STATE");
        foreach (var report in reports)
        {
            listing.Add(
                report.File, report.Subject, report.IsAuthority && report.Issuer == report.Subject ? "itself" : report.Issuer, string.Join(", ", report.Addresses),
                report.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), report.State);
        }

        listing.Write();
    }

    private static Option<int> Days(int usual)
    {
        var days = new Option<int>("--days") { Description = $"How long it is valid; {usual} when not given", DefaultValueFactory = _ => usual };
        days.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var number) || number is < 1 or > LongestDays))
                result.AddError($"--days has to be a whole number from 1 to {LongestDays}");
        });
        return days;
    }

    private static bool IsName(string text) =>
        text.Length is > 0 and <= LongestName && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.')
        && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]) && !text.Contains("..", StringComparison.Ordinal);

    private static int Guarded(Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (CertificateException problem)
        {
            Console.Error.WriteLine("freeflow: " + problem.Message.ReplaceLineEndings(" "));
            return RouterQuery.Failed;
        }
    }
}
