using System.CommandLine;
using Akka.Hosting;
using Freeflow.Router.Configuration;
using Freeflow.Router.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow run`: the router, until SIGTERM.</summary>
internal static class RunCommand
{
    /// <summary>EX_CONFIG of sysexits.h.</summary>
    private const int BadConfiguration = 78;

    public static Command Create()
    {
        var file = new Option<string?>("--config") { Description = "HOCON file over the defaults of reference.conf" };
        var set = new Option<string[]>("--set") { Description = "One setting, key=value; may be given several times", AllowMultipleArgumentsPerToken = false };
        var command = new Command("run", "Runs the router of this host") { file, set };
        command.SetAction((parsed, stop) => RunAsync(parsed.GetValue(file), parsed.GetValue(set) ?? [], stop));
        return command;
    }

    private static async Task<int> RunAsync(string? file, string[] settings, CancellationToken stop)
    {
        Akka.Configuration.Config config;
        RouterOptions options;
        try
        {
            config = ConfigurationLoader.Load(file, settings, Environment.GetEnvironmentVariable);
            options = RouterOptionsReader.Read(config);
        }
        catch (ConfigurationException problem)
        {
            await Console.Error.WriteLineAsync("freeflow: " + problem.Message);
            return BadConfiguration;
        }

        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
        });
        builder.Logging.SetMinimumLevel(Enum.Parse<LogLevel>(options.LogLevel == "info" ? "Information" : options.LogLevel, ignoreCase: true));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.AddSingleton(options);
        builder.Services.AddAkka(AkkaSettings.SystemName, akka => akka
            .AddHocon(AkkaSettings.Of(options).WithFallback(config), HoconAddMode.Prepend)
            .ConfigureLoggers(loggers =>
            {
                loggers.ClearLoggers();
                loggers.AddLoggerFactory();
            }));
        builder.Services.AddHostedService<RouterService>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        try
        {
            using var host = builder.Build();
            await host.RunAsync(stop);
            return 0;
        }
        catch (Exception error) when (error is IOException or System.ComponentModel.Win32Exception or System.Net.Sockets.SocketException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync("freeflow: the router can't start: " + error.Message.ReplaceLineEndings(" "));
            return 1;
        }
    }
}
