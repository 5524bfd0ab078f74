using Freeflow.Actors.Policy;
using Freeflow.Router.Configuration;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Policy;

/// <summary>The policy that a router starts with.</summary>
internal static class PolicyAtStart
{
    /// <summary>Throws <see cref="ConfigurationException"/>: nobody may talk by a policy that nobody understands.</summary>
    public static PolicySetting Read(RouterOptions options)
    {
        var (labelText, labels) = Read(options.LabelFile, PolicyFile.MaximumLabelBytes, LabelFile.Read);
        var (text, policy) = Read(options.PolicyFile, PolicyFile.MaximumBytes, text => PolicyReader.Read(text, labels));
        return new PolicySetting(new PolicyInForce(policy ?? AccessPolicy.Open), options.PolicyFile, text, PolicyReader.Read, options.LookAtPolicyEvery)
        {
            LabelFile = options.LabelFile,
            LabelText = labelText,
            Labels = labels,
            ReadLabels = LabelFile.Read,
        };
    }

    private static (string? Text, T? Read) Read<T>(string file, int maximumBytes, Func<string, T> read)
        where T : class
    {
        try
        {
            var reading = Task.Run(() => PolicyFile.Read(file, maximumBytes));
            if (Task.WaitAny([reading], PolicyFile.ReadWithin) < 0)
                throw new IOException($"it has not been read within {PolicyFile.ReadWithin.TotalSeconds} s");
            var text = reading.GetAwaiter().GetResult();
            return (text, text is null ? null : read(text));
        }
        catch (PolicyException wrong)
        {
            throw new ConfigurationException($"{file}: {wrong.Message}");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{file} can't be read: {problem.Message}");
        }
    }
}
