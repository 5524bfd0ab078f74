namespace Freeflow.Router.Tests;

internal static class Repository
{
    /// <summary>The folder with Freeflow.sln, above the tests.</summary>
    public static string Root
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "Freeflow.sln")))
                folder = Path.GetDirectoryName(folder.TrimEnd('/')) ?? throw new DirectoryNotFoundException("no Freeflow.sln above the tests");
            return folder;
        }
    }
}
