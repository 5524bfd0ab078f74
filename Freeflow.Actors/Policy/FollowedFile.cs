namespace Freeflow.Actors.Policy;

/// <summary>
/// A file whose text is compared at each look, not its times, so that it is the same whether it is written in place, renamed over, or reached
/// by a symbolic link that was swapped. A text counts when it was the same twice: one that is being written is not taken for what it will be.
/// </summary>
/// <param name="path">Where it is.</param>
/// <param name="maximumBytes">Longer ones are not read.</param>
/// <param name="judged">What it said at the start; null where there was nothing.</param>
internal sealed class FollowedFile(string path, int maximumBytes, string? judged)
{
    private string? _candidate;
    private bool _isGone = judged is null;

    public string Path { get; } = path;

    /// <summary>Whether somebody reads it at this moment.</summary>
    public bool IsLookedAt { get; set; }

    /// <summary>Why it, as it is now, does not hold; null: it does.</summary>
    public string? Problem { get; set; }

    /// <summary>Whether the problem is that it can't be read.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>Reads it, on any thread.</summary>
    public FileSeen Read()
    {
        try
        {
            return new FileSeen(this, PolicyFile.Read(Path, maximumBytes), null);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return new FileSeen(this, null, problem.Message);
        }
    }

    /// <summary>Whether what was read is another text than was judged last, and to be judged now.</summary>
    public bool IsNew(string text)
    {
        _isGone = false;
        var isNew = text != judged && text == _candidate;
        _candidate = text == judged || isNew ? null : text;
        if (isNew)
            judged = text;
        return isNew;
    }

    /// <summary>There is none. Whether there was one until now.</summary>
    public bool Goes()
    {
        var wasThere = !_isGone;
        _isGone = true;
        return wasThere;
    }

    /// <summary>What it says is judged once more: something that it depends on is another.</summary>
    public void JudgeAgain() => (judged, _candidate) = (null, null);
}

/// <param name="File">Which was read.</param>
/// <param name="Text">Null where there is none.</param>
/// <param name="Problem">Why it could not be read.</param>
internal sealed record FileSeen(FollowedFile File, string? Text, string? Problem);
