using System.Collections.Frozen;
using System.Net.Mime;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Freeflow.Router.Dashboard;

/// <summary>The page's files, which are part of the program: there is no path that leads anywhere else.</summary>
internal sealed class PageFiles
{
    public const string Prefix = "/page";

    private const string ResourcePrefix = "page/";
    private const string Index = "index.html";

    private readonly FrozenDictionary<string, PageFile> _files;

    public PageFiles()
    {
        var assembly = typeof(PageFiles).Assembly;
        _files = assembly.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)).ToFrozenDictionary(
            name => name[ResourcePrefix.Length..],
            name =>
            {
                using var stream = assembly.GetManifestResourceStream(name)!;
                var bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                return new PageFile(bytes, TypeOf(name), $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]}\"");
            });
    }

    /// <param name="context">Who asks.</param>
    /// <param name="name">The file's, below the prefix; null: the page itself.</param>
    public async Task ServeAsync(HttpContext context, string? name)
    {
        var response = context.Response;
        if (!_files.TryGetValue(name ?? Index, out var file))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        // Asked about each time, so that a router of another version is never met with half of the old page.
        response.Headers.CacheControl = "no-cache";
        response.Headers.ETag = file.Tag;
        if (context.Request.Headers.IfNoneMatch == file.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = file.Type;
        response.ContentLength = file.Bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.Body.WriteAsync(file.Bytes, context.RequestAborted);
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => MediaTypeNames.Text.Plain,
    };

    private sealed record PageFile(byte[] Bytes, string Type, string Tag);
}
