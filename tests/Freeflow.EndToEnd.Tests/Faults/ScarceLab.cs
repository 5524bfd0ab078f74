namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>A lab beside the shared one, whose routers give each container little.</summary>
public sealed class ScarceLab : LabFixture
{
    public ScarceLab()
        : base("scarce") =>
        Hosts.Up(new()
        {
            Hosts = 1,
            Containers = 2,
            Settings =
            [
                "freeflow.container-limits.queue-pairs=40",
                "freeflow.container-limits.completion-queues=40",
                "freeflow.container-limits.shared-receive-queues=40",
                "freeflow.container-limits.memory-regions=100",
                "freeflow.container-limits.memory-windows=40",
                "freeflow.container-limits.protection-domains=40",
                "freeflow.container-limits.address-handles=40",
                "freeflow.container-limits.multicast-attachments=40",
                "freeflow.container-limits.completion-channels=40",
                "freeflow.container-limits.registered-bytes=32m",
                "freeflow.container-limits.queue-bytes=8m",
                "freeflow.shim.max-connections-per-container=40",
            ],
        });
}
