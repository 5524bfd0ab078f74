using System.Diagnostics;
using Freeflow.Verbs.Engine;

namespace Freeflow.Verbs.Tests.Engine;

public sealed class AnswerHabitIsLearnt
{
    private static readonly long s_microsecond = Stopwatch.Frequency / 1_000_000;

    [Fact]
    public void NobodyIsExpectedToAnswerAtFirst()
    {
        var habit = default(AnswerHabit);
        habit.Heard(1);
        Assert.False(habit.ExpectsAnswer);
    }

    [Fact]
    public void WhoAnswersSoonIsExpectedToAgain()
    {
        var habit = Answering(times: 1, after: 5);
        Assert.True(habit.ExpectsAnswer);
        Assert.False(habit.IsSureOfAnswer);
        Assert.True(Answering(times: 8, after: 5).IsSureOfAnswer);
    }

    [Fact]
    public void WhoAnswersLateIsNot() => Assert.False(Answering(times: 8, after: 500).ExpectsAnswer);

    [Fact]
    public void AWaitInVainOutweighsSeveralAnswers()
    {
        var habit = Answering(times: 8, after: 5);
        habit.WaitedInVain();
        Assert.False(habit.IsSureOfAnswer);
        habit.WaitedInVain();
        Assert.False(habit.ExpectsAnswer);
    }

    private static AnswerHabit Answering(int times, int after)
    {
        var habit = default(AnswerHabit);
        for (var i = 1; i <= times; i++)
        {
            habit.Heard(i * 1000 * s_microsecond);
            habit.Posted(((i * 1000) + after) * s_microsecond);
        }

        habit.Heard(times * 2000 * s_microsecond);
        return habit;
    }
}
