using System.Security.Cryptography;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>
/// The ports of one container, by port space: which ids are bound to them, and which listen. Ids take and leave them; the
/// rules are the kernel's (cma_check_port, drivers/infiniband/core/cma.c). Any thread.
/// </summary>
public sealed class PortTable
{
    // The kernel's default of net.ipv4.ip_local_port_range.
    private const int FirstEphemeral = 32768;
    private const int LastEphemeral = 60999;

    private readonly Lock _gate = new();
    private readonly Dictionary<(PortSpace, ushort), List<Binding>> _bindings = [];
    private readonly Dictionary<uint, Binding> _byId = [];
    private int _nextEphemeral = RandomNumberGenerator.GetInt32(FirstEphemeral, LastEphemeral + 1);

    /// <summary>An id's place in the table.</summary>
    public sealed class Binding(uint id, PortSpace space, RdmaAddress address, bool isReusable, bool isFamilyOnly)
    {
        public uint Id { get; } = id;

        public PortSpace Space { get; } = space;

        public RdmaAddress Address { get; internal set; } = address;

        public bool IsReusable { get; internal set; } = isReusable;

        public bool IsFamilyOnly { get; internal set; } = isFamilyOnly;

        internal bool IsListening { get; set; }
    }

    /// <summary>Takes the binding's port, or one that is free for port 0. Returns 0 or the kernel's errno.</summary>
    public int Bind(Binding binding)
    {
        lock (_gate)
        {
            if (binding.Address.Port == 0)
                return TakeFree(binding);
            var others = _bindings.GetValueOrDefault((binding.Space, binding.Address.Port));
            var refused = others is null ? 0 : Check(others, binding, binding.IsReusable);
            if (refused == 0)
                Add(binding);
            return refused;
        }
    }

    /// <summary>Makes a bound id the one that requests go to. Returns 0 or the kernel's errno.</summary>
    public int Listen(Binding binding)
    {
        lock (_gate)
        {
            // Another thread of the application's has destroyed the id.
            if (!_bindings.TryGetValue((binding.Space, binding.Address.Port), out var bound) || !bound.Contains(binding))
                return Errno.EINVAL;
            var refused = Check(bound, binding, false);
            if (refused == 0)
                binding.IsListening = true;
            return refused;
        }
    }

    public void Release(Binding binding)
    {
        lock (_gate)
        {
            var key = (binding.Space, binding.Address.Port);
            if (!_bindings.TryGetValue(key, out var others) || !others.Remove(binding))
                return;
            if (others.Count == 0)
                _bindings.Remove(key);
            if (_byId.GetValueOrDefault(binding.Id) == binding)
                _byId.Remove(binding.Id);
        }
    }

    /// <summary>The same for whatever that id has.</summary>
    public void ReleaseOf(uint id)
    {
        lock (_gate)
        {
            if (_byId.TryGetValue(id, out var binding))
                Release(binding);
        }
    }

    /// <summary>
    /// The id that listens for a service at an address; null when none does. <paramref name="isKnown"/> tells whether
    /// anybody listens for the service at some other address.
    /// </summary>
    public uint? Find(ulong service, RdmaAddress destination, out bool isKnown)
    {
        lock (_gate)
        {
            isKnown = false;
            if (!_bindings.TryGetValue(((PortSpace)(ushort)(service >> 16), (ushort)service), out var bound))
                return null;
            foreach (var binding in bound.Where(binding => binding.IsListening))
            {
                isKnown = true;
                var isAnys = binding.Address.IsAny && (!binding.IsFamilyOnly || binding.Address.Family == destination.Family || binding.Address.Family == RdmaAddressFamily.Ib);
                if (isAnys || binding.Address.Gid == destination.Gid)
                    return binding.Id;
            }

            return null;
        }
    }

    private int TakeFree(Binding binding)
    {
        for (var tries = 0; tries <= LastEphemeral - FirstEphemeral; tries++)
        {
            var port = (ushort)_nextEphemeral;
            _nextEphemeral = _nextEphemeral == LastEphemeral ? FirstEphemeral : _nextEphemeral + 1;
            if (_bindings.ContainsKey((binding.Space, port)))
                continue;
            binding.Address = binding.Address.WithPort(port);
            Add(binding);
            return 0;
        }

        return Errno.EADDRNOTAVAIL;
    }

    private void Add(Binding binding)
    {
        var key = (binding.Space, binding.Address.Port);
        if (!_bindings.TryGetValue(key, out var others))
            _bindings.Add(key, others = []);
        others.Add(binding);
        _byId[binding.Id] = binding;
    }

    private static int Check(List<Binding> others, Binding binding, bool isReusable)
    {
        foreach (var other in others.Where(other => other != binding))
        {
            if (!other.IsListening && isReusable && other.IsReusable)
                continue;
            if (binding.IsFamilyOnly && other.IsFamilyOnly && binding.Address.Family != other.Address.Family)
                continue;
            if (binding.Address.IsAny || other.Address.IsAny)
                return Errno.EADDRNOTAVAIL;
            if (binding.Address.Gid == other.Address.Gid)
                return Errno.EADDRINUSE;
        }

        return 0;
    }
}
