using Akka.Actor;
using Freeflow.Actors.Events;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Policy;

/// <summary>
/// Holds the policy: follows its file and the one of labels, and takes another policy from an operator. One that is wrong is refused whole, and
/// what holds stays.
/// </summary>
public sealed class PolicyActor : ListedActor, IWithTimers
{
    /// <summary>Its name below /user/router.</summary>
    public const string Name = "policy";

    private readonly PolicySetting _setting;
    private readonly TimeSpan _readWithin;
    private readonly FollowedFile _file;
    private readonly FollowedFile _labelFile;
    private ContainerLabels? _labels;
    private string _text;
    private string _source;
    private DateTime _since = DateTime.UtcNow;

    public PolicyActor(PolicySetting setting, TimeSpan readWithin)
    {
        (_setting, _readWithin, _labels) = (setting, readWithin, setting.Labels);
        _file = new FollowedFile(setting.File, PolicyFile.MaximumBytes, setting.Text);
        _labelFile = new FollowedFile(setting.LabelFile, PolicyFile.MaximumLabelBytes, setting.LabelText);
        _text = setting.Text ?? "";
        _source = setting.Text is null ? "no policy" : setting.File;
        Receive<LookAtFiles>(_ =>
        {
            Look(_labelFile);
            Look(_file);
        });
        Receive<FileSeen>(See);
        Receive<NotRead>(late => CanNotRead(late.File, $"it has not been read within {_readWithin.TotalSeconds} s"));
        Receive<PolicyProtocol.Apply>(apply => Sender.Tell(Apply(apply.Text, apply.Source)));
        Receive<PolicyProtocol.Show>(_ => Sender.Tell(Report()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="setting">What it begins with.</param>
    /// <param name="readWithin">How long a file may take to be read before that is said; null: as usual.</param>
    public static Props Props(PolicySetting setting, TimeSpan? readWithin = null) =>
        Akka.Actor.Props.Create(() => new PolicyActor(setting, readWithin ?? PolicyFile.ReadWithin));

    protected override void PreStart() => Timers.StartPeriodicTimer("look", LookAtFiles.Instance, _setting.LookEvery);

    private void Look(FollowedFile file)
    {
        if (file.IsLookedAt)
            return;
        file.IsLookedAt = true;
        Timers.StartSingleTimer(file, new NotRead(file), _readWithin);
        Task.Run(file.Read).PipeTo(Self);
    }

    private void See(FileSeen seen)
    {
        var file = seen.File;
        file.IsLookedAt = false;
        Timers.Cancel(file);
        if (seen.Problem is { } problem)
        {
            CanNotRead(file, problem);
            return;
        }

        if (file.IsUnreadable)
        {
            file.IsUnreadable = false;
            SayOf(file, null);
        }

        if (seen.Text is { } text)
        {
            if (file.IsNew(text))
                SayOf(file, file == _file ? ApplyFile(text) : TakeLabels(text));
        }
        else if (file.Goes())
        {
            // Whoever takes a file away may be about to put another in its place; and who may talk must not grow by an accident.
            Context.Report(
                EventKind.PolicyFileGone,
                $"Policy file gone: {file.Path}; what held before stays in force until there is another, or the router starts again", ("source", file.Path));
        }
    }

    private void SayOf(FollowedFile file, string? problem)
    {
        file.Problem = problem;
        _setting.InForce.Loads.IsFileWrong = (_file.Problem ?? _labelFile.Problem) is not null;
    }

    private void CanNotRead(FollowedFile file, string problem)
    {
        if (!file.IsUnreadable || problem != file.Problem)
        {
            _setting.InForce.Loads.CountUnreadable();
            Context.Report(
                EventKind.PolicyNotRead, $"Policy not read: {file.Path}: {problem}; what held before stays in force", ("source", file.Path), ("problem", problem));
        }

        file.IsUnreadable = true;
        SayOf(file, problem);
    }

    /// <summary>What is wrong with it, if anything is.</summary>
    private string? ApplyFile(string text) => Apply(text, _setting.File) is PolicyProtocol.Refused refused ? refused.Problem : null;

    /// <summary>The same of labels. A policy that was right stays right with others.</summary>
    private string? TakeLabels(string text)
    {
        try
        {
            _labels = _setting.ReadLabels(text);
        }
        catch (PolicyException wrong)
        {
            return Refuse(wrong, _setting.LabelFile).Problem;
        }

        if (_setting.InForce.Current.HasLabels)
            Apply(_text, _source);
        if (_file.Problem is not null)
            _file.JudgeAgain();
        return null;
    }

    private object Apply(string text, string source)
    {
        AccessPolicy policy;
        try
        {
            policy = _setting.Read(text, _labels);
        }
        catch (PolicyException wrong)
        {
            return Refuse(wrong, source);
        }

        (_text, _source, _since) = (text, source, DateTime.UtcNow);
        foreach (var (container, before) in _setting.InForce.Put(policy))
            Context.ReportTenant(container, before);
        _setting.InForce.Loads.CountAccepted();
        Context.Report(
            EventKind.PolicyInForce, $"Policy in force: {source}: {policy.Tenants.Count} tenants, {policy.Rules.Count} rules",
            ("source", source), ("tenants", policy.Tenants.Count), ("rules", policy.Rules.Count));
        if (policy.Ambiguous is [var first, ..] ambiguous)
        {
            var address = first.Address.ToAddress();
            Context.Report(
                EventKind.TenantAmbiguous,
                $"Policy: {ambiguous.Count} addresses have the labels of more than one tenant, {address} those of {first.Tenant} and {first.Other}: the policy's first one has them",
                ("address", address), ("tenant", first.Tenant), ("other", first.Other), ("count", ambiguous.Count));
        }

        return new PolicyProtocol.Applied(Report());
    }

    private PolicyProtocol.Refused Refuse(PolicyException wrong, string source)
    {
        _setting.InForce.Loads.CountRefused();
        Context.Report(
            EventKind.PolicyRefused, $"Policy refused: {source}: {wrong.Message}; what held before stays in force", ("source", source), ("problem", wrong.Message));
        return new PolicyProtocol.Refused(wrong.Message);
    }

    private PolicyReport Report() => new(
        _setting.InForce.Current, _source, _since, _file.Path, _file.Problem, new LabelsReport(_labelFile.Path, _labels?.Addresses.Count ?? 0, _labelFile.Problem));

    private sealed record NotRead(FollowedFile File);

    private sealed class LookAtFiles
    {
        public static LookAtFiles Instance { get; } = new();
    }
}
