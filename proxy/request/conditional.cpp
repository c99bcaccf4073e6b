// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/conditional.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

// Tags, weak ones too (RFC 9110 13.1.2).
bool names_tag(std::string_view list, std::string_view tag)
{
    const auto tags = list_elements(list);
    return std::any_of(tags.begin(), tags.end(),
                       [&](std::string_view one) { return one.substr(one.starts_with("W/") ? 2 : 0) == tag; });
}

} // namespace

// A list may be spread over several lines; "*" stands alone.
bool has_already(const Request& rq, std::string_view tag)
{
    const bool alone = rq.headers.count("If-None-Match") == 1;
    return rq.headers.any("If-None-Match", [&](std::string_view value) {
        return names_tag(value, tag) || (alone && trimmed(value) == "*");
    });
}

void validate(Response& response, const Request& rq, std::string tag)
{
    if (has_already(rq, tag)) {
        response.status = 304;
        response.headers.erase("Content-Type"); // it says nothing that the client lacks (RFC 9110 15.4.5)
    }
    response.headers.add("ETag", std::move(tag));
}

} // namespace alli::proxy
