// SPDX-License-Identifier: Apache-2.0
#include "proxy/validator.hpp"

#include "upstream/header.hpp"

#include <algorithm>
#include <iterator>

namespace alli::proxy {
namespace {

// Tags, weak ones too (RFC 9110 13.1.2).
bool names_tag(std::string_view list, std::string_view tag)
{
    while (!list.empty()) {
        std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), one.size() + 1));
        one = upstream::trimmed(one);
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag) return true;
    }
    return false;
}

// A list may be spread over several lines; "*" stands alone.
bool has_already(const Request& rq, std::string_view tag)
{
    const auto [first, last] = rq.fields.equal_range("If-None-Match");
    for (auto line = first; line != last; ++line) {
        const std::string_view value(line->value().data(), line->value().size());
        if (names_tag(value, tag) || (upstream::trimmed(value) == "*" && std::next(first) == last)) return true;
    }
    return false;
}

} // namespace

void validate(Response& response, const Request& rq, std::string tag)
{
    if (has_already(rq, tag)) response.status = 304;
    response.headers.push_back({"ETag", std::move(tag)});
}

} // namespace alli::proxy
