using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>
/// nginx and curl under librspreload. nginx is of Debian's source, built with its poll module (tests/Programs/nginx-with-poll), and
/// one process: no released librspreload has epoll, and an rsocket that listens is the process's that made it.
/// </summary>
public sealed class NginxRunsOverRsockets(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 8090;

    /// <summary>The status by which the build says that there is no source to be had on this machine.</summary>
    private const int Unavailable = 77;

    private static readonly TimeSpan s_makeWithin = TimeSpan.FromMinutes(12);

    /// <summary>librspreload hears of a connection that its own thread has accepted when its poll() ends, after 5 s.</summary>
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    [SkippableTheory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForCurl(Placement placement)
    {
        const int Large = 10_000_000, Small = 5000;
        var nginx = Made();
        using var scratch = new ScratchDirectory();
        scratch.MakeDirectory("www");
        scratch.WriteNoise("www/large", Large);
        scratch.WriteNoise("www/small", Small);
        var pair = new CmPair(lab, placement);
        using var server = pair.Listen([.. Librspreload.Words, nginx, "-c", Configure(scratch), "-e", scratch["errors"]]);
        Assert.False(lab.Hosts.ListensOverTcp(pair.ServerNode, Port), "the listener is the kernel's");

        var before = Carried(pair);
        var url = $"http://ADDRESS:{Port}";
        var client = pair.Ask(s_bound,
            [.. Librspreload.Words, "curl", "-sSf", "-w", "%{http_code} %{num_connects}\\n", "-o", scratch["small"], $"{url}/small", "-o", scratch["large"], $"{url}/large"]);
        Assert.True(client.ExitCode == 0, $"{client.Everything}\n{File.ReadAllText(scratch["errors"])}");
        Assert.Equal("200 1\n200 0\n", client.Output);
        scratch.MustBeEqual("www/small", "small");
        scratch.MustBeEqual("www/large", "large");
        var carried = Carried(pair) - before;
        Assert.True(carried >= Small + Large, $"{carried} bytes through the engine");
        Assert.DoesNotMatch(@"\[(emerg|alert|crit|error)\]", File.ReadAllText(scratch["errors"]));
    }

    private string Made()
    {
        var made = Shell.Run(s_makeWithin, null, Path.Combine(lab.Hosts.Paths.Repository, "tests/Programs/nginx-with-poll"));
        Skip.If(made.ExitCode == Unavailable, made.Errors.Trim());
        Assert.True(made.ExitCode == 0, made.Everything);
        return made.Output.Trim();
    }

    private static string Configure(ScratchDirectory scratch) => scratch.Write("nginx.conf", $$"""
        daemon off;
        master_process off;
        pid {{scratch["pid"]}};
        error_log {{scratch["errors"]}};
        events { use poll; accept_mutex off; worker_connections 64; }
        http {
            access_log off;
            client_body_temp_path {{scratch["body"]}};
            proxy_temp_path {{scratch["proxy"]}};
            fastcgi_temp_path {{scratch["fastcgi"]}};
            uwsgi_temp_path {{scratch["uwsgi"]}};
            scgi_temp_path {{scratch["scgi"]}};
            server { listen {{Port}}; root {{scratch["www"]}}; }
        }
        """);

    /// <summary>What the engine of the server's router has moved, from memory to memory or to the other host.</summary>
    private long Carried(CmPair pair)
    {
        var engine = lab.Status(pair.ServerNode[..2]).GetProperty("Engine");
        return engine.GetProperty("LocalBytes").GetInt64() + engine.GetProperty("LinkBytesSent").GetInt64();
    }
}
