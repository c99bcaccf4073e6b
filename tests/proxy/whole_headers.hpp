// SPDX-License-Identifier: Apache-2.0
// The headers of a response as its client gets them, but for those that a session adds to every one.
#pragma once

#include "proxy/request/response.hpp"

#include <algorithm>

namespace alli::proxy {

inline Headers whole_headers(Response& response)
{
    Headers headers = std::move(response.headers);
    if (!response.shared_head) return headers;
    const std::string_view block = *response.shared_head;
    const auto standard = default_headers();
    for (auto at = block.find("\r\n") + 2; at < block.size(); at = block.find("\r\n", at) + 2) {
        const std::string_view line = block.substr(at, block.find("\r\n", at) - at);
        const std::string_view name = line.substr(0, line.find(": "));
        const bool added =
            name == "Date" || name == "Content-Length" ||
            std::any_of(standard.begin(), standard.end(), [&](const auto& it) { return it.name == name; });
        if (!added) headers.add(std::string(name), std::string(line.substr(name.size() + 2)));
    }
    return headers;
}

} // namespace alli::proxy
