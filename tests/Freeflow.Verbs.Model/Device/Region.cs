namespace Freeflow.Verbs.Model.Device;

/// <summary>A memory region with what is in it.</summary>
public sealed class Region(string name, string domain, int bytes, Access access, int fill)
{
    public string Name { get; } = name;

    public string Domain { get; } = domain;

    public Access Access { get; } = access;

    public byte[] Memory { get; } = [.. Enumerable.Range(0, bytes).Select(i => (byte)((i * 7) + fill))];

    public bool IsAlive { get; set; } = true;

    /// <summary>How many windows open on it.</summary>
    public int Windows { get; set; }

    /// <summary>Whether somebody with this PD may do that to these bytes.</summary>
    public bool Allows(string domain, Access needed, long offset, long length) =>
        IsAlive && domain == Domain && (Access & needed) == needed && offset >= 0 && offset + length <= Memory.Length;
}
