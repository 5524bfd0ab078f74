namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>
/// The rows of a theory: program and scene, the connections that must be accelerated, further ones that may be (where a socket
/// is shared before it is connected, or has been used before), in both placements.
/// </summary>
public sealed class SceneData : TheoryData<string, int, int, Placement>
{
    public SceneData(params (string Scene, int Must, int May)[] scenes)
    {
        foreach (var (scene, must, may) in scenes)
        {
            Add(scene, must, may, Placement.SameHost);
            Add(scene, must, may, Placement.AcrossHosts);
        }
    }
}
