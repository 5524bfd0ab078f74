namespace Freeflow.Verbs.Model.Device;

public enum Transport
{
    Reliable,
    Unreliable,
    Datagram,
}
