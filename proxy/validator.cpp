// SPDX-License-Identifier: Apache-2.0
#include "proxy/validator.hpp"

#include "upstream/header.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

// "*", or a list of tags, weak ones too (RFC 9110 13.1.2).
bool names_tag(std::string_view list, std::string_view tag)
{
    while (!list.empty()) {
        std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), one.size() + 1));
        one = upstream::trimmed(one);
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag || one == "*") return true;
    }
    return false;
}

} // namespace

void validate(Response& response, const Request& rq, std::string tag)
{
    if (names_tag(rq.header("If-None-Match"), tag)) response.status = 304;
    response.headers.push_back({"ETag", std::move(tag)});
}

} // namespace alli::proxy
