// SPDX-License-Identifier: Apache-2.0
#include "proxy/cursor.hpp"

#include "alli/error.hpp"
#include "proxy/seal.hpp"

#include <algorithm>
#include <charconv>

namespace alli::proxy {
namespace {

constexpr std::string_view prefix = "am1.";
constexpr std::size_t seal_bytes = 16;

std::string written(const std::optional<Instant>& when)
{
    return when ? std::to_string(when->time_since_epoch().count()) : "-";
}

// Every part with its length before it: no two lists read alike.
void append(std::string& text, std::string_view part)
{
    fmt::format_to(std::back_inserter(text), "{}:{}", part.size(), part);
}

// What the cursor is bound to. The page size may change from page to page.
std::string query_mark(const cache::ListFilter& filter)
{
    std::vector<std::string> users = filter.user_ids; // in any order they are the same list
    std::sort(users.begin(), users.end());
    users.erase(std::unique(users.begin(), users.end()), users.end());
    std::string text = std::to_string(users.size());
    for (const std::string& user : users) append(text, user);
    append(text, filter.app_id.value_or(""));
    append(text, filter.category_id.value_or(""));
    append(text, filter.search_term);
    for (const auto& when : {filter.started_at, filter.end_at, filter.first_started_at, filter.first_end_at})
        append(text, written(when));
    append(text, filter.active_only ? "active" : "all");
    append(text, std::to_string(static_cast<int>(filter.order)));
    const Digest digest = sha256(text);
    return to_base64url({reinterpret_cast<const char*>(digest.data()), 12});
}

std::string sealed(std::string_view payload, std::string_view secret)
{
    const Digest digest = seal(secret, payload);
    return to_base64url({reinterpret_cast<const char*>(digest.data()), seal_bytes});
}

[[noreturn]] void refuse()
{
    throw Error(Fault::usage, "", "cursor must be one of this very list: same filters, same order, not altered");
}

std::string_view next_part(std::string_view& payload)
{
    const auto comma = payload.find(',');
    if (comma == payload.npos) refuse();
    const std::string_view part = payload.substr(0, comma);
    payload.remove_prefix(comma + 1);
    return part;
}

std::optional<Instant> read_when(std::string_view text)
{
    if (text == "-") return std::nullopt;
    std::int64_t micros = 0;
    const auto [stop, bad] = std::from_chars(text.data(), text.data() + text.size(), micros);
    if (bad != std::errc{} || stop != text.data() + text.size()) refuse();
    return Instant{std::chrono::microseconds{micros}};
}

} // namespace

bool is_our_cursor(std::string_view cursor) noexcept
{
    return cursor.starts_with(prefix);
}

std::string write_cursor(const cache::ListKey& key, const cache::ListFilter& filter, std::string_view secret)
{
    const std::string payload =
        fmt::format("{},{},{},{}", query_mark(filter), written(key.when), written(key.bound), key.id);
    return fmt::format("{}{}.{}", prefix, to_base64url(payload), sealed(payload, secret));
}

cache::ListKey read_cursor(std::string_view cursor, const cache::ListFilter& filter, std::string_view secret)
{
    if (!is_our_cursor(cursor)) refuse();
    cursor.remove_prefix(prefix.size());
    const auto dot = cursor.find('.');
    const auto payload = from_base64url(cursor.substr(0, dot));
    if (dot == cursor.npos || !payload || !same_bytes(sealed(*payload, secret), cursor.substr(dot + 1))) refuse();

    std::string_view rest = *payload;
    if (next_part(rest) != query_mark(filter)) refuse();
    cache::ListKey key;
    key.when = read_when(next_part(rest));
    key.bound = read_when(next_part(rest));
    key.id = rest;
    return key;
}

} // namespace alli::proxy
