// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/cache_status.hpp"

#include <spdlog/fmt/fmt.h>

#include <iterator>

namespace alli::proxy {

std::string to_text(const CacheStatus& status)
{
    std::string text = "alli-mirror";
    text.reserve(64);
    const auto add = std::back_inserter(text);
    if (status.origin != ResponseOrigin::none)
        fmt::format_to(add, "; {}{}", status.origin == ResponseOrigin::hit ? "" : "fwd=",
                       origin_names[static_cast<std::size_t>(status.origin)]);
    if (status.forward_status != 0) fmt::format_to(add, "; fwd-status={}", status.forward_status);
    if (status.stored) text += "; stored";
    if (status.collapsed) text += "; collapsed";
    if (status.ttl) fmt::format_to(add, "; ttl={}", *status.ttl);
    if (!status.detail.empty()) fmt::format_to(add, "; detail={}", status.detail);
    return text;
}

} // namespace alli::proxy
