// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/vary.hpp"

#include "alli/headers.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

constexpr auto never_sent = std::to_array<std::string_view>({"Accept-Encoding", "Origin"});

// The names, `*` among them, of all such headers.
std::vector<std::string_view> names_in_vary(const upstream::Reply& reply)
{
    std::vector<std::string_view> names;
    for (const Header& header : reply.headers) {
        if (!same_name(header.name, "Vary")) continue;
        for (const std::string_view name : list_elements(header.value)) {
            const bool sent = std::none_of(never_sent.begin(), never_sent.end(),
                                           [&](std::string_view never) { return same_name(never, name); });
            if (!name.empty() && sent) names.push_back(name);
        }
    }
    return names;
}

} // namespace

bool may_vary(const upstream::Reply& reply)
{
    return !names_in_vary(reply).empty();
}

bool is_special(const upstream::Reply& reply, const Headers& asked_with)
{
    const auto names = names_in_vary(reply);
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return name == "*" || !asked_with.first(name).empty(); });
}

} // namespace alli::proxy
