namespace Freeflow.Verbs.Model.Device;

/// <summary>What a window is to open on. Of type 1 with length 0 it is nothing.</summary>
public sealed record Binding(Window Window, Region Region, int Offset, int Length, Access Access);
