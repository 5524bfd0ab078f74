namespace Freeflow.Verbs.Model.Device;

/// <summary>A memory window (InfiniBand specification, 10.6.7; of type 2 it is 2B). Each binding gives it another key.</summary>
public sealed class Window(string name, string domain, int type)
{
    private const Access Writing = Access.RemoteWrite | Access.RemoteAtomic;

    public string Name { get; } = name;

    public string Domain { get; } = domain;

    public int Type { get; } = type;

    public bool IsAlive { get; set; } = true;

    /// <summary>What it opens on; null while that is nothing.</summary>
    public Binding? Bound { get; private set; }

    /// <summary>Of type 2, whose peer alone may use it.</summary>
    public QueuePair? Owner { get; private set; }

    /// <summary>How often it was bound; the application has its key after so many.</summary>
    public int Bindings { get; private set; }

    public int KnownBindings { get; set; }

    /// <summary>Carries a binding out that was posted to this QP; false when it may not be.</summary>
    public bool TryBind(QueuePair qp, Binding binding)
    {
        var isZeroBased = (binding.Access & Access.ZeroBased) != 0;
        if (!IsAlive || Domain != qp.Domain
            || (Type == 2 ? Bound is not null || binding.Length == 0 : isZeroBased)
            || (binding.Length > 0 && !IsBindable(binding)))
            return false;
        Unbind();
        Bindings++;
        if (binding.Length == 0)
            return true;
        Bound = binding;
        binding.Region.Windows++;
        Owner = Type == 2 ? qp : null;
        return true;
    }

    public void Unbind()
    {
        if (Bound is not null)
            Bound.Region.Windows--;
        (Bound, Owner) = (null, null);
    }

    /// <summary>Whether the peer of this QP may do that to these bytes of the region behind it.</summary>
    public bool Opens(QueuePair to, Access needed, long offset, long length) =>
        IsAlive && Bound is { } bound && Domain == to.Domain && (bound.Access & needed) == needed && (Type == 1 || Owner == to)
        && offset >= bound.Offset && offset + length <= bound.Offset + bound.Length;

    private static bool IsBindable(Binding binding) =>
        binding.Region.IsAlive && (binding.Region.Access & Access.Bind) != 0
        && ((binding.Access & Writing) == 0 || (binding.Region.Access & Access.LocalWrite) != 0)
        && binding.Offset + binding.Length <= binding.Region.Memory.Length;
}
