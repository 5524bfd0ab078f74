using Freeflow.Lab;

namespace Freeflow.Shim.Tests;

/// <summary>Programs that use no verbs do the same with the preload as without.</summary>
public sealed class OtherProgramsSeeNoDifference
{
    [Theory]
    // What is in sysfs has the time of a look at it.
    [InlineData("ls -l /etc && ls -l --time-style=+ /sys/class")]
    [InlineData("stat -c '%n %F %s %t:%T' /dev/null /etc/passwd /sys/class/net")]
    [InlineData("find /sys/class/net -maxdepth 1 | sort")]
    [InlineData("cat /etc/passwd | sort | uniq -c | tail -3")]
    [InlineData("printf 'b\\na\\n' | sort; (exit 7); echo $?")]
    [InlineData("cat /dev/infiniband/uverbs0; echo $?")]
    [InlineData("ls /sys/class/infiniband /dev/infiniband; echo $?")]
    [InlineData("exec 3>&1 4>&3; echo four >&4; exec 3>&- 4>&-; ls /proc/self/fd | wc -l")]
    [InlineData("for i in 1 2 3; do (echo $i & wait); done")]
    [InlineData("perl -e 'for (1..50) { my $p = fork; exit 0 unless $p; waitpid $p, 0 } print \"forked\\n\"'")]
    [InlineData("perl -MPOSIX -e 'POSIX::close($_) for 3..2000; open my $f, \"<\", \"/etc/hostname\" or die; print fileno($f), \"\\n\"'")]
    [InlineData("tar cf - /etc/hostname /etc/passwd 2>/dev/null | tar tf -")]
    [InlineData("gcc --version | head -1")]
    public void Doing(string script)
    {
        var without = Shell.Run(TimeSpan.FromSeconds(30), null, "bash", "-c", script);
        var with = Shell.Run(
            TimeSpan.FromSeconds(30), new Dictionary<string, string> { ["LD_PRELOAD"] = Shim.Library }, "bash", "-c", script);
        Assert.Equal(without, with);
    }
}
