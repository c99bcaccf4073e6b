// SPDX-License-Identifier: Apache-2.0
// What portals, proxies, firewalls and gateways answer in the service's place, and answers of the service to another
// request or with an error under a good status.
#pragma once

#include "upstream/http.hpp"

#include <vector>

namespace support {

struct ForeignAnswer {
    const char* name;
    int status;
    const char* type; // empty: it has none
    const char* body;
    const char* server = "";
    bool empty_success = false; // tells nothing, not even whether it is foreign
};

inline alli::upstream::Reply reply_of(const ForeignAnswer& answer)
{
    alli::upstream::Reply reply;
    reply.status = answer.status;
    reply.body = answer.body;
    if (*answer.type != '\0') reply.headers.add("Content-Type", answer.type);
    if (*answer.server != '\0') reply.headers.add("Server", answer.server);
    return reply;
}

inline const std::vector<ForeignAnswer>& foreign_answers()
{
    constexpr auto html = "text/html; charset=utf-8";
    constexpr auto json = "application/json";
    static const std::vector<ForeignAnswer> all{
        {"a proxy that wants a login", 407, html, "<html><title>Proxy login</title></html>", "squid/5.7"},
        {"a proxy that wants a login, in JSON", 407, json, R"({"error":"Proxy Authentication Required"})"},
        {"a filter by law", 451, html, "<html><title>Blocked</title></html>"},
        {"a portal that says so", 511, html, "<html><title>Sign in</title></html>"},
        {"a firewall's page", 403, html, "<html><title>Request blocked</title></html>", "AkamaiGHost"},
        {"a firewall's words", 403, "text/plain", "Forbidden"},
        {"a cloud gateway's refusal", 403, json, R"({"message":"Forbidden"})"},
        {"a content network's problem", 403, "application/problem+json",
         R"({"type":"https://example.test/1020","title":"Error 1020","status":403,"detail":"denied","cloudflare_error":true})"},
        {"a refusal that says nothing", 403, json, "{}"},
        {"a portal's login", 401, html, "<html><title>Hotel network</title></html>"},
        {"a gateway's bad request", 400, html, "<html><title>400 Bad Request</title></html>", "nginx"},
        {"a gateway's bad request without a word", 400, "", ""},
        {"a body too large for a gateway", 413, html, "<html><title>413</title></html>", "nginx"},
        {"a target too long for a gateway", 414, html, "<html><title>414</title></html>"},
        {"headers too long for a gateway", 431, "text/plain", "Request Header Fields Too Large"},
        {"a wrong host", 421, "text/plain", "Misdirected Request"},
        {"a gateway without a route", 404, html, "<html><title>404 Not Found</title></html>", "nginx"},
        {"a router without a route", 404, "text/plain", "404 page not found"},
        {"a gateway without a route, in JSON", 404, json, R"({"message":"no Route matched with those values"})"},
        {"a page that is gone", 410, html, "<html><title>410 Gone</title></html>"},
        {"a redirect to a login", 302, html, "<html><title>Moved</title></html>"},
        {"a redirect that keeps the method", 307, "", ""},
        {"an idle connection's end", 408, html, "<html><body><h1>408 Request Time-out</h1></body></html>"},
        {"a gateway's limit", 429, html, "<html><title>Too many</title></html>"},
        {"a gateway in trouble", 502, html, "<html><title>502 Bad Gateway</title></html>", "nginx"},
        {"a gateway that is busy", 503, html, "<html><title>503</title></html>"},
        {"a gateway that waited", 504, "text/plain", "upstream request timeout"},
        {"a portal's page", 200, html, "<html><title>Welcome</title></html>"},
        {"a portal's page without a type", 200, "", "  <!DOCTYPE html><body>Log in</body>"},
        {"a portal's words", 200, "text/plain", "You are now online"},
        {"another format", 200, "application/xml", "<?xml version=\"1.0\"?><ok/>"},
        {"an error with a good status", 200, json, R"({"result":[],"errors":"content must be JSON deserializable!"})"},
        {"a named error with a good status", 200, json,
         R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})"},
        {"a coded error with a good status", 200, json, R"({"type":"APIError","code":7000,"message":"no"})"},
        {"no success with a good status", 200, json, R"({"success":false})"},
        {"nothing", 200, "", "", "", true},
        {"nothing, said so", 204, "", "", "", true},
        {"an answer that was cut", 200, json, R"({"id":"a","title":"ne)"},
        {"a list", 200, json, "[]"},
        {"another record", 200, json,
         R"({"id":"another","title":"of another","createdAt":1,"lastChatTime":2,"chatCount":0,"chats":[]})"},
    };
    return all;
}

} // namespace support
