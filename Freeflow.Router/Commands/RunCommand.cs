using System.CommandLine;
using Akka.Actor;
using Akka.Hosting;
using Freeflow.Actors.ClusterTransport;
using Freeflow.Actors.Policy;
using Freeflow.Router.Configuration;
using Freeflow.Router.Hosting;
using Freeflow.Router.Installation;
using Freeflow.Router.Logging;
using Freeflow.Router.Policy;
using Freeflow.Router.Tracing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow run`: the router, until SIGTERM.</summary>
internal static class RunCommand
{
    /// <summary>EX_CONFIG of sysexits.h.</summary>
    private const int BadConfiguration = 78;

    /// <summary>EX_TEMPFAIL: the cluster goes on without this router, which can join it when it is started again.</summary>
    private const int MustJoinAnew = 75;

    public static Command Create()
    {
        var (file, set) = (ConfigurationFile(), Setting());
        var command = new Command("run", "Runs the router of this host") { file, set };
        command.SetAction((parsed, stop) => RunAsync(parsed.GetValue(file), parsed.GetValue(set) ?? [], stop));
        return command;
    }

    /// <summary>--config, for all who read a router's settings.</summary>
    public static Option<string?> ConfigurationFile() => new("--config") { Description = "HOCON file over the defaults of reference.conf" };

    /// <summary>--set, the same.</summary>
    public static Option<string[]> Setting() =>
        new("--set") { Description = "One setting, key=value; may be given several times", AllowMultipleArgumentsPerToken = false };

    private static async Task<int> RunAsync(string? file, string[] settings, CancellationToken stop)
    {
        var log = RouterLog.Open();
        Akka.Configuration.Config config;
        RouterOptions options;
        PolicySetting policy;
        ClusterCertificates? certificates;
        TraceSetting? traces;
        try
        {
            config = ConfigurationLoader.Load(file, settings, Environment.GetEnvironmentVariable);
            options = RouterOptionsReader.Read(config);
            traces = TraceSetting.Read(Environment.GetEnvironmentVariable);
            policy = PolicyAtStart.Read(options);
            certificates = Certificates(options);
        }
        catch (ConfigurationException problem)
        {
            await Console.Error.WriteLineAsync("freeflow: " + problem.Message);
            return BadConfiguration;
        }

        // The default one would read appsettings.json from whatever directory this was started in, and watch all that is below it.
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        RouterLog.Configure(builder.Logging, options.LogFormat, options.LogLevel);
        string? kept;
        ShimAtStart shim;
        try
        {
            LeastPrivilege.MustSuffice();
            kept = LeastPrivilege.Drop(options);
            // Before anybody is served, and before the cluster hears of a router that can't be: programs with another router's library get no device.
            shim = new ShimAtStart(options.InstallShimTo is { } directory ? new ShimInstaller(ShimInstaller.OwnLibraries, directory, options.Name).Install() : null);
        }
        catch (Exception error) when (error is IOException or System.ComponentModel.Win32Exception or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync("freeflow: the router can't start: " + error.Message.ReplaceLineEndings(" "));
            return 1;
        }

        using var held = certificates;
        using var export = new TraceExport(traces, options.Name);
        builder.Services.AddSingleton(log);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(policy);
        var security = new TransportSetup(certificates, options.HostNetwork);
        builder.Services.AddSingleton(security);
        builder.Services.AddSingleton(new PrivilegesKept(kept));
        builder.Services.AddSingleton(shim);
        builder.Services.AddSingleton(export);
        builder.Services.AddAkka(AkkaSettings.SystemName, akka => akka
            .AddSetup(security)
            .AddHocon(AkkaSettings.Of(options).WithFallback(config), HoconAddMode.Prepend)
            .ConfigureLoggers(loggers =>
            {
                loggers.ClearLoggers();
                loggers.AddLoggerFactory();
            }));
        builder.Services.AddHostedService<RouterService>();
        builder.Services.AddSystemd();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        try
        {
            using var host = builder.Build();
            var shutdown = CoordinatedShutdown.Get(host.Services.GetRequiredService<ActorSystem>());
            await host.RunAsync(stop);
            return shutdown.ShutdownReason is CoordinatedShutdown.ClusterDowningReason ? MustJoinAnew : 0;
        }
        catch (Exception error) when (Cause(error) is IOException or System.ComponentModel.Win32Exception or System.Net.Sockets.SocketException or UnauthorizedAccessException or TimeoutException or Akka.Remote.RemoteTransportException)
        {
            await Console.Error.WriteLineAsync("freeflow: the router can't start: " + Cause(error).Message.ReplaceLineEndings(" "));
            return 1;
        }
    }

    /// <summary>Akka's remoting wraps what its transport says, once for each of its tasks.</summary>
    private static Exception Cause(Exception error) => error is AggregateException several ? several.GetBaseException() : error;

    private static ClusterCertificates? Certificates(RouterOptions options)
    {
        try
        {
            return options.Tls is { } files ? new ClusterCertificates(files, TimeProvider.System) : null;
        }
        catch (InvalidDataException problem)
        {
            throw new ConfigurationException($"freeflow.tls is not accepted: {problem.Message}");
        }
    }
}
