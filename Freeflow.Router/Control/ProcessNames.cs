namespace Freeflow.Router.Control;

/// <summary>What processes call themselves. They choose it, and may choose anything.</summary>
internal static class ProcessNames
{
    /// <summary>Empty for one that this process does not see, or that is gone.</summary>
    public static string Of(int pid)
    {
        try
        {
            return pid > 0 ? File.ReadAllText($"/proc/{pid}/comm").TrimEnd('\n') : "";
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
