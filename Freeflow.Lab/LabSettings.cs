namespace Freeflow.Lab;

/// <summary>Settings of the routers beyond those of hocon/lab.conf, each "key=value".</summary>
public sealed class LabSettings : LabWords
{
    /// <summary>Stands for the router's host in a value.</summary>
    public const string Host = "{host}";
}
