using Freeflow.Actors.Inspection;
using Freeflow.Router.Control;

namespace Freeflow.Router.Dashboard.Live;

/// <summary>A QP with what it does each second; null until it was looked at twice.</summary>
internal sealed record QueuePairRow(QueuePairSeen QueuePair, string Tenant, string Address, double? SendsRate, double? ReceivesRate);

/// <summary>An accelerated connection with its bytes each second.</summary>
internal sealed record FlowRow(FlowAnswer Flow, double? SentRate, double? ReceivedRate);

/// <summary>How many connections were plain for a reason, since the start.</summary>
internal sealed record ReasonRow(string Why, long Connections);
