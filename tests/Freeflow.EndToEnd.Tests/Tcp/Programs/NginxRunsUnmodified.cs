using System.Text.RegularExpressions;

namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>nginx with four workers, one listener for all of them or one for each, under curl and wrk.</summary>
public sealed class NginxRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 8080;
    private const int Workers = 4;

    public static TheoryData<string, Placement> Listens => new()
    {
        { "", Placement.SameHost },
        { "", Placement.AcrossHosts },
        { "reuseport", Placement.SameHost },
        { "reuseport", Placement.AcrossHosts },
    };

    [Theory]
    [MemberData(nameof(Listens))]
    public void ForCurl(string listen, Placement placement)
    {
        const int Length = 30_000_000, Small = 5000, Times = 8;
        using var scratch = new ScratchDirectory();
        using var server = Start(scratch, listen, placement);
        scratch.WriteNoise("www/large", Length);
        scratch.WriteNoise("www/small", Small);
        var url = $"http://{server.Address}:{Port}";
        server.Run("curl", "-sSf", "-o", scratch["large"], url + "/large");
        scratch.MustBeEqual("www/large", "large");

        // curl names a file for each: the same URL a number of times in one command.
        string[] several = ["curl", "-sSf", "-w", "%{http_code} %{num_connects} %{local_ip} %{remote_ip} %{remote_port}\\n", "-o", scratch["small_#1"], $"{url}/small?[1-{Times}]"];
        string Line(int connects) => $"200 {connects} {server.ClientAddress} {server.Address} {Port}\n";
        Assert.Equal(Line(1) + string.Concat(Enumerable.Repeat(Line(0), Times - 1)), server.Run(several));
        Assert.Equal(string.Concat(Enumerable.Repeat(Line(1), Times)), server.Run([.. several, "-H", "Connection: close"]));
        for (var time = 1; time <= Times; time++)
            scratch.MustBeEqual("www/small", $"small_{time}");

        MustHaveServed(scratch, server, 1 + Times + Times);
        server.MustHaveAccelerated(1 + 1 + Times);
        server.MustHaveSparedTheOverlay(Length);
    }

    [Theory]
    [MemberData(nameof(Listens))]
    public void ForWrkWithConnectionsThatAreKept(string listen, Placement placement)
    {
        const int Connections = 64;
        using var scratch = new ScratchDirectory();
        using var server = Start(scratch, listen, placement);
        var served = RunWrk(scratch, server, Connections);
        var workers = MustHaveServed(scratch, server, served);
        if (listen == "reuseport")
            Assert.True(workers > 1, $"{workers} of {Workers} workers has served {Connections} connections");
        server.MustHaveAccelerated(Connections);
    }

    [Theory]
    [MemberData(nameof(Listens))]
    public void ForWrkWithAConnectionForEachRequest(string listen, Placement placement)
    {
        using var scratch = new ScratchDirectory();
        using var server = Start(scratch, listen, placement);
        var served = RunWrk(scratch, server, 16, "-H", "Connection: close");
        MustHaveServed(scratch, server, served);
        Assert.True(server.WithoutAPort < served / 2, $"{server.WithoutAPort} of {served} without a port");
        server.MustHaveAccelerated(served - server.WithoutAPort);
    }

    private ServerProgram Start(ScratchDirectory scratch, string listen, Placement placement)
    {
        scratch.MakeDirectory("www");
        var configuration = scratch.Write("nginx.conf", $$"""
            daemon off;
            user www-data;
            worker_processes {{Workers}};
            pid {{scratch["pid"]}};
            error_log {{scratch["errors"]}};
            events { worker_connections 512; }
            http {
                log_format who '$remote_addr $pid $status';
                access_log {{scratch["accesses"]}} who;
                client_body_temp_path {{scratch["body"]}};
                proxy_temp_path {{scratch["proxy"]}};
                fastcgi_temp_path {{scratch["fastcgi"]}};
                uwsgi_temp_path {{scratch["uwsgi"]}};
                scgi_temp_path {{scratch["scgi"]}};
                keepalive_requests 1000000;
                server { listen {{Port}} {{listen}}; root {{scratch["www"]}}; }
            }
            """);
        return new ServerProgram(lab, placement, Port, "/usr/sbin/nginx", "-c", configuration, "-e", scratch["errors"]);
    }

    /// <summary>wrk for a second, with every answer compared. Returns the number of answers.</summary>
    private static int RunWrk(ScratchDirectory scratch, ServerProgram server, int connections, params string[] options)
    {
        var body = scratch.WriteNoise("www/body", 10_000);
        var script = scratch.Write("compare.lua", $$"""
            local threads = {}
            local file = io.open("{{body}}", "rb")
            local expected = file:read("*a")
            right, wrong = 0, 0
            function setup(thread) table.insert(threads, thread) end
            function response(status, headers, body)
                if status == 200 and body == expected then right = right + 1 else wrong = wrong + 1 end
            end
            function done()
                local rights, wrongs = 0, 0
                for _, thread in ipairs(threads) do
                    rights, wrongs = rights + thread:get("right"), wrongs + thread:get("wrong")
                end
                print(rights .. " right, " .. wrongs .. " wrong")
            end
            """);
        var said = server.Run(["wrk", "-t", "2", "-c", $"{connections}", "-d", "1s", "-s", script, .. options, $"http://{server.Address}:{Port}/body"]);
        Assert.DoesNotContain("Socket errors", said);
        var found = Regex.Match(said, @"^(\d+) right, 0 wrong$", RegexOptions.Multiline);
        Assert.True(found.Success, said);
        var right = int.Parse(found.Groups[1].Value);
        Assert.True(right >= connections, said);
        return right;
    }

    /// <summary>The server's own view: who asked, and that nothing went wrong. Returns the number of workers that served.</summary>
    private static int MustHaveServed(ScratchDirectory scratch, ServerProgram server, int requests)
    {
        Assert.DoesNotMatch(@"\[(emerg|alert|crit|error)\]", File.ReadAllText(scratch["errors"]));
        var lines = File.ReadAllLines(scratch["accesses"]).Select(line => line.Split(' ')).ToList();
        Assert.True(lines.Count >= requests, $"{lines.Count} of {requests} requests in the log");
        Assert.All(lines, fields => Assert.Equal((server.ClientAddress, "200"), (fields[0], fields[2])));
        return lines.Select(fields => fields[1]).Distinct().Count();
    }
}
