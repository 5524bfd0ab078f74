using Akka.Actor;
using Freeflow.Actors.Events;

namespace Freeflow.Actors.Policy;

/// <summary>Tells the operator whose a container is by the policy.</summary>
internal static class TenantReporting
{
    public static void ReportTenant(this IActorContext context, ContainerShare container, string before) => context.Report(
        EventKind.ContainerTenant,
        $"Container {container.Handover.Id}: by the policy it belongs to tenant {container.Tenant} now, and no more to {before}",
        ("container", container.Handover.Id), ("tenant", container.Tenant), ("before", before));
}
