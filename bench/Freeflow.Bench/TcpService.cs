namespace Freeflow.Bench;

/// <summary>A server that runs throughout; the number is its port on the first kind of path, the others' follow.</summary>
public enum TcpService
{
    Iperf = 18600,
    Respond = 18610,
    Visit = 18620,
    Web = 18630,
}
