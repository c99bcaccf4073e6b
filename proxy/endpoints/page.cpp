// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/page.hpp"

#include "proxy/access/base64url.hpp"
#include "proxy/request/accept_header.hpp"
#include "proxy/request/conditional.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace alli::proxy {
namespace {

// No code but these files, no other host, no frame around it.
constexpr std::string_view policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                    "img-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
                                    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

struct Kind {
    std::string_view ending, type;
};
constexpr std::array kinds{
    Kind{".html", "text/html; charset=utf-8"},
    Kind{".css", "text/css; charset=utf-8"},
    Kind{".js", "text/javascript; charset=utf-8"},
    Kind{".svg", "image/svg+xml"},
    Kind{".json", "application/json"},
};

std::string_view type_of(std::string_view name)
{
    const auto* found =
        std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return name.ends_with(k.ending); });
    return found == kinds.end() ? std::string_view("application/octet-stream") : found->type;
}

const page::Asset* find_asset(std::string_view name)
{
    const auto all = page::assets();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const page::Asset& asset) { return asset.name == name; });
    return found == all.end() ? nullptr : &*found;
}

// Only if gzip is named: a client that sends * may not decode it.
bool takes_gzip(std::string_view codings)
{
    const int gzip = weight_of(codings, "gzip").value_or(0);
    return gzip > 0 && gzip >= weight_of(codings, "identity").value_or(0);
}

const std::string& tag_of(std::string_view bytes)
{
    static const std::map<const char*, std::string> tags = [] {
        std::map<const char*, std::string> made;
        for (const page::Asset& asset : page::assets())
            for (const std::string_view form : {asset.plain, asset.packed}) {
                const Digest digest = sha256(form);
                const std::string_view start(reinterpret_cast<const char*>(digest.data()), 15);
                made[form.data()] = '"' + to_base64url(start) + '"';
            }
        return made;
    }();
    return tags.at(bytes.data());
}

Response response_of(const page::Asset& asset, bool packed, std::string_view allowed)
{
    Response response = text_response(type_of(asset.name), std::string(packed ? asset.packed : asset.plain));
    response.headers.add("Content-Security-Policy", std::string(allowed));
    response.headers.add("Vary", "Accept-Encoding");
    if (asset.name.ends_with(".html")) // who led a browser here gets no hold of its window
        response.headers.add("Cross-Origin-Opener-Policy", "same-origin");
    if (packed) response.headers.add("Content-Encoding", "gzip");
    return response;
}

std::string source_of(std::string_view page, std::string_view opening, std::string_view closing)
{
    const auto from = page.find(opening) + opening.size();
    const Digest digest = sha256(page.substr(from, page.find(closing) - from));
    const std::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
    return "'sha256-" + to_base64url(bytes) + "='";
}

// The inline style and script of the sign-in page, by their digests: there is no session yet to fetch a file with.
std::string door_policy(std::string_view page)
{
    return "default-src 'none'; style-src " + source_of(page, "<style>", "</style>") + "; script-src " +
           source_of(page, "<script>", "</script>") +
           "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

Response answer_with(std::string_view name, const Request& rq)
{
    const page::Asset* asset = find_asset(name);
    if (!asset) return problem(ErrorFormat::ours, 404, "there is nothing at this path");
    const bool packed = takes_gzip(rq.header("Accept-Encoding"));
    Response response = response_of(*asset, packed, policy);
    validate(response, rq, tag_of(packed ? asset->packed : asset->plain));
    return response;
}

} // namespace

Task<Response> serve_page(const Context&, const Request& rq)
{
    co_return answer_with("index.html", rq);
}

Task<Response> serve_asset(const Context&, const Request& rq)
{
    co_return answer_with(rq.ids[0], rq);
}

Task<Response> serve_description(const Context&, const Request& rq)
{
    co_return answer_with("openapi.json", rq);
}

Response sign_in_page(std::string_view accepted_codings)
{
    const page::Asset& door = *find_asset("door.html");
    Response response = response_of(door, takes_gzip(accepted_codings), door_policy(door.plain));
    response.status = 401;
    response.headers.add("WWW-Authenticate", "Bearer realm=\"alli-mirror\"");
    return response;
}

} // namespace alli::proxy
