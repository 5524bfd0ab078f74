using System.Globalization;
using Akka.DistributedData;

namespace Freeflow.Actors.Directory;

/// <summary>
/// Under which key a page is replicated: the router's address and the page's number. Not its incarnation, so that a router that is started
/// again overwrites what it left.
/// </summary>
internal sealed class PageKey(string address, int index) : Key<DirectoryPage>($"{Prefix}{index.ToString(CultureInfo.InvariantCulture)}/{address}")
{
    private const string Prefix = "freeflow-addresses-2/";

    public string Address { get; } = address;

    public int Index { get; } = index;

}
