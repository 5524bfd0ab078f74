using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>
/// A host for each Debian release, with two containers of it. A third one has the release of the host before, so that each
/// release also meets itself across hosts.
/// </summary>
public sealed class ReleasesLab : RootLab
{
    private static readonly string[] s_suites = ["bullseye", "bookworm", "trixie", "sid"];

    /// <summary>Four routers on a busy machine may all stand still for seconds; nobody is to be taken for dead for it.</summary>
    private const string Patience = "akka.cluster.failure-detector.acceptable-heartbeat-pause=60s";

    private readonly Dictionary<string, string> _missing = [];

    public ReleasesLab()
        : base("releases") => Build(() =>
        {
            LabRoots roots = [];
            for (var host = 1; host <= s_suites.Length; host++)
            {
                var suite = s_suites[host - 1];
                var (root, missing) = RootOf(suite);
                if (root is null)
                    _missing.Add(suite, missing!);
                else
                    roots.AddRange([$"{LabLayout.Host(host)}={root}", $"{Abroad(host)}={root}"]);
            }

            Hosts.Up(new LabOptions { Hosts = s_suites.Length, Containers = 3, Roots = roots, Settings = [Patience] });
        });

    public static IEnumerable<string> Suites => s_suites;

    /// <summary>Skips the test where one of the releases can't be had.</summary>
    public void MustHave(params string[] suites) =>
        Skip.If(suites.Any(_missing.ContainsKey), string.Join('\n', suites.Where(_missing.ContainsKey).Select(suite => _missing[suite])));

    /// <summary>Containers for a server and a client.</summary>
    public static (string Server, string Client) Nodes(string server, string client, Placement placement) =>
        (Node(server, 1), (server == client, placement) switch
        {
            (true, Placement.SameHost) => Node(client, 2),
            (true, _) => Abroad(HostOf(client)),
            _ => Node(client, 1),
        });

    private static int HostOf(string suite) => Array.IndexOf(s_suites, suite) + 1;

    private static string Node(string suite, int container) => LabLayout.Container(HostOf(suite), container);

    /// <summary>A container with a host's release, on the next host.</summary>
    private static string Abroad(int host) => LabLayout.Container((host % s_suites.Length) + 1, 3);
}
