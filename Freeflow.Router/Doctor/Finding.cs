using System.Text.Json.Serialization;

namespace Freeflow.Router.Doctor;

/// <summary>How much it matters.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
public enum Verdict
{
    Ok,

    /// <summary>The router runs, but something is slower, or is off.</summary>
    Warn,

    /// <summary>The router does not start, or serves nobody.</summary>
    Fail,
}

/// <summary>What one check has found.</summary>
/// <param name="Verdict">How much it matters.</param>
/// <param name="Subject">What was looked at.</param>
/// <param name="What">How it is.</param>
/// <param name="ToDo">What to do about it; null where that is nothing.</param>
public sealed record Finding(Verdict Verdict, string Subject, string What, string? ToDo = null)
{
    public static Finding Ok(string subject, string what) => new(Verdict.Ok, subject, what);

    public static Finding Warn(string subject, string what, string toDo) => new(Verdict.Warn, subject, what, toDo);

    public static Finding Fail(string subject, string what, string toDo) => new(Verdict.Fail, subject, what, toDo);
}
