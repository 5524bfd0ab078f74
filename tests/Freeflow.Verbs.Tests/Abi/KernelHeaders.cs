using System.Diagnostics;
using System.Text;

namespace Freeflow.Verbs.Tests.Abi;

/// <summary>Asks the C compiler what the kernel's headers, and the shim's, say.</summary>
internal static class KernelHeaders
{
    /// <summary>Evaluates integer expressions of C, in the order given.</summary>
    public static long[] Evaluate(IEnumerable<string> expressions)
    {
        var program = new StringBuilder("""
            #include <stddef.h>
            #include <stdint.h>
            #include <stdio.h>
            #include <rdma/ib_user_verbs.h>
            #include <rdma/rdma_user_cm.h>
            #include <rdma/rdma_user_rxe.h>
            #include "Freeflow.Shim/protocol.h"
            int main(void) {

            """);
        foreach (var expression in expressions)
            program.AppendLine($"printf(\"%lld\\n\", (long long)({expression}));");
        program.AppendLine("}");
        var directory = Directory.CreateTempSubdirectory("freeflow-headers");
        try
        {
            var source = Path.Combine(directory.FullName, "headers.c");
            var binary = Path.Combine(directory.FullName, "headers");
            File.WriteAllText(source, program.ToString());
            Run("gcc", ["-I", Repository(), "-o", binary, source]);
            return [.. Run(binary, []).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static string Run(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output;
    }

    private static string Repository()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Freeflow.sln")))
                return at.FullName;
        }

        throw new DirectoryNotFoundException("the repository is not above the tests");
    }
}
