// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/session_endpoints.hpp"

#include "proxy/access/authority.hpp"
#include "proxy/access/browser_sessions.hpp"
#include "proxy/request/list_query.hpp"
#include "proxy/request/request_metrics.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

// A browser sends Sec-Fetch-Site to loopback, and to others over TLS only: then a reverse proxy is in front.
bool came_by_tls(const Request& rq)
{
    const auto host = read_authority(rq.header("Host"));
    return host && !is_loopback_name(host->host) && rq.has("Sec-Fetch-Site");
}

// Strict: a page of another site cannot use it; HttpOnly: no script can read it. Ourselves we speak plain http.
Header cookie(const Request& rq, std::string_view value, std::chrono::seconds life)
{
    return {"Set-Cookie",
            fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", session_cookie(rq.header("Host")),
                        value, life.count(), came_by_tls(rq) ? "; Secure" : "")};
}

std::string_view session_of(const Request& rq)
{
    return find_cookie(rq.header("Cookie"), session_cookie(rq.header("Host")));
}

Response no_link()
{
    Response response = text_response(
        "text/html; charset=utf-8",
        std::string("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>alli-mirror</title>"
                    "<h1>This link does not work</h1><p>A link works once, and for a minute. Get another one:"
                    "<pre>alli-mirror open</pre></html>\n"));
    response.status = 401;
    response.headers.add("WWW-Authenticate", "Bearer realm=\"alli-mirror\"");
    return response;
}

} // namespace

Task<Response> make_link(const Context& cx, const Request& rq)
{
    if (cx.browser_sessions.address().empty())
        co_return problem(ErrorFormat::ours, 409, "no browser can get here: the program listens on Unix sockets alone",
                          "add an address like 127.0.0.1:8787 to proxy.listen");
    const std::string secret = cx.browser_sessions.make_link(rq.grant, Moment::now(cx.clock));
    nlohmann::ordered_json body;
    body["link"] = fmt::format("http://{}/mirror/v1/session?link={}", cx.browser_sessions.address(), secret);
    body["expiresInSeconds"] = BrowserSessions::link_life.count();
    Response response = text_response("application/json", body.dump());
    response.status = 201;
    co_return response;
}

Task<Response> enter(const Context& cx, const Request& rq)
{
    if (rq.method == "HEAD") co_return problem(ErrorFormat::ours, 405, "only a GET uses a link up");
    const std::string link = find_parameter(read_query(rq.query()), "link").value_or("");
    const auto secret = cx.browser_sessions.redeem(link, Moment::now(cx.clock), session_of(rq));
    cx.meters.count_sign_in(secret.has_value());
    if (!secret) co_return no_link();
    Response response;
    response.status = 303;
    response.headers.add("Location", "/");
    response.headers.push_back(cookie(rq, *secret, BrowserSessions::whole_life));
    co_return response;
}

Task<Response> show_principal(const Context&, const Request& rq)
{
    const auto text_or_null = [](const std::string& text) {
        return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
    };
    const Principal& who = *rq.principal;
    const auto expires = rq.grant->expires();
    nlohmann::ordered_json body;
    body["name"] = who.name;
    body["scope"] = name_of(who.scope);
    body["app"] = text_or_null(who.part.app);
    body["user"] = text_or_null(who.part.user);
    body["expires"] = text_or_null(expires ? to_rfc3339(*expires) : "");
    body["session"] = rq.grant->is_session();
    co_return text_response("application/json", body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Task<Response> sign_out(const Context& cx, const Request& rq)
{
    cx.browser_sessions.sign_out(session_of(rq));
    Response response;
    response.status = 204;
    response.headers.push_back(cookie(rq, "", std::chrono::seconds(0)));
    response.headers.add("Clear-Site-Data", "\"cache\""); // what an older page left there
    co_return response;
}

} // namespace alli::proxy
