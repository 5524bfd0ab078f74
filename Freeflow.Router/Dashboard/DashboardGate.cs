using System.Net;
using System.Net.Mime;
using Freeflow.Router.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Freeflow.Router.Dashboard;

/// <summary>
/// Stands before the page and /api: whom another site's page has sent, who calls the router by a name that is not its own (as a page does
/// whose name was bound to this address), who sends a body, and who has no token where one is needed, comes no further.
/// </summary>
internal sealed class DashboardGate(AdminOptions options)
{
    private static readonly (string Name, string Value)[] s_headers =
    [
        ("Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ];

    private readonly bool _isLocal = IPAddress.IsLoopback(options.At.Address);
    private readonly HashSet<string> _hosts = new([.. options.Hosts, "localhost", Dns.GetHostName()], StringComparer.OrdinalIgnoreCase);

    /// <summary>Ahead of the routing.</summary>
    public void StandBefore(IApplicationBuilder application) => application.UseWhen(context => Guards(context.Request.Path), guarded => guarded.Use(PassAsync));

    private static bool Guards(PathString path) => path == "/" || path.StartsWithSegments(PageFiles.Prefix) || path.StartsWithSegments(DashboardEndpoints.Prefix);

    private Task PassAsync(HttpContext context, RequestDelegate next)
    {
        foreach (var (name, value) in s_headers)
            context.Response.Headers[name] = value;
        return Refuse(context) is var (status, why) ? AnswerAsync(context, status, why) : next(context);
    }

    private (int Status, string Why)? Refuse(HttpContext context)
    {
        var request = context.Request;
        if (!IsOwn(request.Host))
            return (StatusCodes.Status403Forbidden, "this router has another name; freeflow.admin.hosts lists those that it may be called by");
        if (IsFromElsewhere(request))
            return (StatusCodes.Status403Forbidden, "requests of other sites are not served");
        if (request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0)
            return (StatusCodes.Status413PayloadTooLarge, "no request here has a body");
        return request.Path.StartsWithSegments(DashboardEndpoints.Prefix) ? RefuseWithoutToken(context) : null;
    }

    private (int Status, string Why)? RefuseWithoutToken(HttpContext context)
    {
        var request = context.Request;
        var reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        var shown = request.Headers.Authorization;
        if (shown.Count == 0 && reads && _isLocal)
            return null;
        if (options.Token is not { } token)
            return (StatusCodes.Status403Forbidden, "there is no token for this router (freeflow.admin.token-file), so that nothing but reading on its own host is allowed");
        if (shown.Count == 1 && token.IsShownBy(shown.ToString()))
            return null;
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"freeflow\"";
        return (StatusCodes.Status401Unauthorized, "the router's token is needed: Authorization: Bearer …");
    }

    /// <summary>A number can't have been bound to this address by somebody else; of names only those that are known to be the router's serve.</summary>
    private bool IsOwn(HostString host) => host.HasValue && (IPAddress.TryParse(host.Host.Trim('[', ']'), out _) || _hosts.Contains(host.Host));

    private static bool IsFromElsewhere(HttpRequest request)
    {
        var origin = request.Headers.Origin;
        if (origin.Count > 0 && origin != $"{request.Scheme}://{request.Host}")
            return true;

        // Browsers say this of every request. Following a link from another page to this one is harmless, since only the page comes of it.
        var site = request.Headers["Sec-Fetch-Site"];
        var opensThePage = request.Path == "/" && request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document";
        return site.Count > 0 && site != "same-origin" && site != "none" && !opensThePage;
    }

    private static Task AnswerAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = MediaTypeNames.Text.Plain;
        return context.Response.WriteAsync(why + "\n", context.RequestAborted);
    }
}
