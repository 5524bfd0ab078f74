using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>The servers of all paths. They stay through all rounds, so that no round pays for their start.</summary>
public sealed class TcpServers : IDisposable
{
    // Between a listener and the moment when the other hosts' routers know it; a connection before that is plain.
    private static readonly TimeSpan s_known = TimeSpan.FromSeconds(1);

    private readonly LabHosts _lab;
    private readonly List<BackgroundProgram> _programs = [];

    public TcpServers(LabHosts lab, IReadOnlyList<TcpPath> paths, params IReadOnlyList<TcpService> services)
    {
        _lab = lab;
        try
        {
            var started = (from path in paths from service in services select (path, service, Start(path, service))).ToList();
            foreach (var (path, service, program) in started)
                AwaitListening(path, service, program);
            Thread.Sleep(s_known);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var program in _programs)
            program.Dispose();
    }

    private BackgroundProgram Start(TcpPath path, TcpService service)
    {
        var port = path.Port(service);
        var baseline = Path.Combine(_lab.Paths.Repository, "artifacts/bench/baseline");
        var program = _lab.Start(path.ServerNode, service switch
        {
            TcpService.Iperf => path.Command("iperf3", "-s", "-p", $"{port}"),
            TcpService.Respond => path.Command(baseline, "respond-serve", $"{port}"),
            TcpService.Visit => path.Command(baseline, "visit-serve", $"{port}"),
            _ => path.Command("nginx", "-e", "stderr", "-c", NginxConfiguration(path, port)),
        });
        _programs.Add(program);
        return program;
    }

    // Two workers that wait on one listener, as on any machine with two cores.
    private string NginxConfiguration(TcpPath path, int port)
    {
        var file = Path.Combine(_lab.Paths.State, $"{path.ServerNode}-nginx-{port}");
        File.WriteAllText(file + ".conf", $$"""
            daemon off;
            user root;
            worker_processes 2;
            pid {{file}}.pid;
            events { worker_connections 512; }
            http {
                access_log off;
                keepalive_requests 100000000;
                server {
                    listen {{port}};
                    location / { return 200 "{{new string('f', 1024)}}"; }
                }
            }
            """);
        return file + ".conf";
    }

    private void AwaitListening(TcpPath path, TcpService service, BackgroundProgram program)
    {
        var (node, port) = (path.ServerNode, path.Port(service));
        WaitFor.That($"the {service} server in {node} listening on {port}", () => _lab.ListensOverTcp(node, port) || program.HasExited);
        if (program.HasExited)
            throw new LabException($"the {service} server in {node} ends: {program.Wait(TimeSpan.FromSeconds(1)).Everything}");
    }
}
