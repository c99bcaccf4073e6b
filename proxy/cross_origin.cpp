// SPDX-License-Identifier: Apache-2.0
#include "proxy/cross_origin.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

constexpr std::string_view methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
// All that the mirror says in headers of its own, and what it says to a client that is to wait or to repeat.
constexpr std::string_view exposed =
    "Cache-Status, Age, ETag, Location, Alli-Mirror-Outbox, Alli-Mirror-Hint, Alli-Mirror-Complete, "
    "Alli-Mirror-Unknown-Filters, Mirror-Position, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id, "
    "Content-Disposition";
constexpr std::string_view lasts = "600"; // seconds

// Names of headers alone: it is sent back.
bool is_list_of_names(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == ',' || c == ' ';
    });
}

} // namespace

Response preflight_response(const Headers& asked)
{
    Response response;
    response.status = 204;
    const auto add = [&](const char* name, std::string_view value) { response.headers.add(name, std::string(value)); };
    add("Access-Control-Allow-Methods", methods);
    const std::string_view wanted = asked.first("Access-Control-Request-Headers");
    if (is_list_of_names(wanted)) add("Access-Control-Allow-Headers", wanted);
    // A page from the internet to an address of this machine: browsers ask for that by itself.
    if (same_name(asked.first("Access-Control-Request-Private-Network"), "true"))
        add("Access-Control-Allow-Private-Network", "true");
    add("Access-Control-Max-Age", lasts);
    add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    return response;
}

void share_with(Response& response, std::string_view origin)
{
    response.headers.add("Access-Control-Allow-Origin", std::string(origin));
    response.headers.add("Access-Control-Expose-Headers", std::string(exposed));
}

} // namespace alli::proxy
