using System.Net;
using Freeflow.Router.Admin;

namespace Freeflow.Router.Configuration;

/// <summary>Reads freeflow.admin.</summary>
internal static class AdminOptionsReader
{
    private const int LargestPort = 65535;
    private const int LargestFile = 4096;

    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite;

    /// <summary>Null for port 0.</summary>
    public static AdminOptions? Read(SettingReader setting)
    {
        var address = setting.Text("admin.address");
        var port = setting.Number("admin.port", 0, LargestPort);
        if (!IPAddress.TryParse(address, out var parsed))
            throw SettingReader.Wrong("admin.address", address, "an IP address");
        var hosts = setting.List("admin.hosts");
        foreach (var host in hosts)
        {
            if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
                throw SettingReader.Wrong("admin.hosts", host, "names of hosts, without a port");
        }

        var token = Token(setting.Text("admin.token-file"));
        return port == 0 ? null : new AdminOptions(new IPEndPoint(parsed, port), token, hosts);
    }

    private static AdminToken? Token(string path)
    {
        if (path.Length == 0)
            return null;
        try
        {
            if ((File.GetUnixFileMode(path) & Others) != 0)
                throw SettingReader.Wrong("admin.token-file", path, "a file that only its owner may write and no others may read (chmod 600)");
            if (new FileInfo(path).Length <= LargestFile && AdminToken.TryMake(File.ReadAllText(path)) is { } token)
                return token;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw SettingReader.Wrong("admin.token-file", path, $"a file that can be read ({problem.Message.ReplaceLineEndings(" ")})");
        }

        throw SettingReader.Wrong("admin.token-file", path, $"a file with one token of at least {AdminToken.LeastLength} visible ASCII characters");
    }
}
