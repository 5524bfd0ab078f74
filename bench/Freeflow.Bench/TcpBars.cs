namespace Freeflow.Bench;

/// <summary>What TCP mode has to reach.</summary>
public static class TcpBars
{
    public static IEnumerable<Bar> Of(TcpFigures figures)
    {
        foreach (var where in TcpPath.Places)
        {
            foreach (var streams in TcpSession.Streams)
                yield return new Bar($"{where}, {TcpSession.IperfName(streams)} over host to host",
                    figures[TcpSession.IperfName(streams), where].Ratio(TcpKind.Freeflow, TcpKind.HostToHost), 0.97, AtLeast: true);
            foreach (var bytes in TcpSession.Sizes)
                yield return new Bar($"{where}, {TcpSession.RespondName(bytes)}, host to host's over this",
                    figures[TcpSession.RespondName(bytes), where].Ratio(TcpKind.HostToHost, TcpKind.Freeflow), 0.97, AtLeast: true);
            foreach (var clients in TcpSession.Clients)
            {
                yield return new Bar($"{where}, {TcpSession.VisitName(clients, learning: false)} over the overlay",
                    figures[TcpSession.VisitName(clients, learning: false), where].Ratio(TcpKind.Freeflow, TcpKind.Overlay), clients == 1 ? 0.8 : 1, AtLeast: true);
                yield return new Bar($"{where}, {TcpSession.VisitName(clients, learning: true)} over the overlay",
                    figures[TcpSession.VisitName(clients, learning: true), where].Ratio(TcpKind.Freeflow, TcpKind.Overlay), 0.97, AtLeast: true);
            }
        }

        foreach (var call in figures.Calls)
            yield return new Bar($"passed through, {call.Name}, time with the preload over without", call.Ratio.Median, 1.02, AtLeast: false);
        yield return new Bar("passed through, overall (geometric mean)", Overall(figures.Calls), 1.02, AtLeast: false);
    }

    private static double Overall(List<PassedThroughCall> calls) => Math.Exp(calls.Average(call => Math.Log(call.Ratio.Median)));
}
