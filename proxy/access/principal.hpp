// SPDX-License-Identifier: Apache-2.0
// Who sends a request, and what it may do: made by the guard, carried by the request. Plain data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::proxy {

/// Each includes those before it.
enum class Scope : std::uint8_t {
    metrics, // /metrics and /readyz
    read,    // reads, search, the feed, status, the page
    write,   // writes, relays, retry and discard of waiting writes
    admin,   // purge, backup, verify; accepting deletions or another project's key; links for others
};

inline constexpr std::array<std::string_view, 4> scope_names{"metrics", "read", "write", "admin"};
constexpr std::string_view name_of(Scope scope) noexcept
{
    return scope_names[static_cast<std::size_t>(scope)];
}
constexpr std::optional<Scope> find_scope(std::string_view name) noexcept
{
    for (std::size_t i = 0; i < scope_names.size(); ++i)
        if (scope_names[i] == name) return static_cast<Scope>(i);
    return std::nullopt;
}

/// The conversations that a principal may see. Where both are said, both must hold.
struct Part {
    std::string app;  // an app's id; empty: any
    std::string user; // a user's id; empty: any

    bool is_whole() const noexcept { return app.empty() && user.empty(); }
    bool operator==(const Part&) const = default;
};

struct Principal {
    std::string name; // of the token; "key", "socket", "nobody" for the others
    Scope scope = Scope::admin;
    Part part;

    bool may(Scope needed) const noexcept { return scope >= needed; }
};

} // namespace alli::proxy
