using System.Net;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>Bounds how many connections may be on their way at once, in all and from one address: a stranger must not keep members out.</summary>
internal sealed class HandshakeGate(int inAll, int fromOne)
{
    private readonly Lock _counting = new();
    private readonly Dictionary<IPAddress, int> _from = [];
    private int _all;

    public bool TryEnter(IPAddress from)
    {
        lock (_counting)
        {
            var already = _from.GetValueOrDefault(from);
            if (_all >= inAll || already >= fromOne)
                return false;
            _all++;
            _from[from] = already + 1;
            return true;
        }
    }

    public void Leave(IPAddress from)
    {
        lock (_counting)
        {
            _all--;
            if (_from[from] == 1)
                _from.Remove(from);
            else
                _from[from]--;
        }
    }
}
