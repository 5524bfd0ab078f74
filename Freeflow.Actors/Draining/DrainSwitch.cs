namespace Freeflow.Actors.Draining;

/// <summary>Whether this router takes nothing new, since it is to end. Any thread.</summary>
public sealed class DrainSwitch
{
    private volatile bool _isOn;

    public bool IsOn
    {
        get => _isOn;
        set => _isOn = value;
    }
}
