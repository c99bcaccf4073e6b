// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/cursor.hpp"

#include "alli/error.hpp"
#include "proxy/access/base64url.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace alli::proxy {
namespace {

constexpr std::string_view prefix = "am2.", earlier_prefix = "am1.";
constexpr std::string_view place_letters = "ufln"; // as ChatlessPlace counts
constexpr std::size_t seal_bytes = 16;

std::string written(const std::optional<Instant>& when)
{
    return when ? std::to_string(when->time_since_epoch().count()) : "-";
}

// Each part with its length before it, so that no two lists have one encoding.
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
    text += cache::binding_of(filter.visible);
    const Digest digest = sha256(text);
    return to_base64url({reinterpret_cast<const char*>(digest.data()), 12});
}

std::string sealed(std::string_view version, std::string_view payload, std::string_view secret)
{
    const Digest digest = seal(secret, fmt::format("{}{}", version, payload));
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

// What append() wrote.
std::string_view next_measured(std::string_view& payload)
{
    const auto colon = payload.find(':');
    std::size_t size = 0;
    if (colon == payload.npos) refuse();
    const auto [stop, bad] = std::from_chars(payload.data(), payload.data() + colon, size);
    payload.remove_prefix(colon + 1);
    if (bad != std::errc{} || size > payload.size()) refuse();
    const std::string_view part = payload.substr(0, size);
    payload.remove_prefix(size);
    return part;
}

std::string written(const std::vector<std::uint64_t>& hashes)
{
    std::string bytes(hashes.size() * sizeof(std::uint64_t), '\0');
    if (!hashes.empty()) std::memcpy(bytes.data(), hashes.data(), bytes.size());
    return bytes;
}

std::vector<std::uint64_t> read_hashes(std::string_view bytes)
{
    std::vector<std::uint64_t> hashes(bytes.size() / sizeof(std::uint64_t));
    if (!hashes.empty()) std::memcpy(hashes.data(), bytes.data(), hashes.size() * sizeof(std::uint64_t));
    return hashes;
}

// Absent in cursors of earlier versions.
void read_more(std::string_view& payload, Cursor& cursor)
{
    const std::string_view flags = next_part(payload);
    const auto place = flags.empty() ? place_letters.npos : place_letters.find(flags.front());
    if (place == place_letters.npos) refuse();
    cursor.key.chatless = static_cast<cache::ChatlessPlace>(place);
    cursor.upstream_only = flags.find('o') != flags.npos;
    cursor.reversed = flags.find('r') != flags.npos;
    cursor.key.shown = read_hashes(next_measured(payload));
    if (const std::string_view upstream = next_measured(payload); !upstream.empty()) cursor.upstream = upstream;
}

} // namespace

bool is_our_cursor(std::string_view cursor) noexcept
{
    return cursor.starts_with(prefix) || cursor.starts_with(earlier_prefix);
}

std::string write_cursor(const Cursor& cursor, const cache::ListFilter& filter, std::string_view secret)
{
    const cache::ListKey& key = cursor.key;
    std::string payload = fmt::format("{},{},{},{}{}{},", query_mark(filter), written(key.when), written(key.bound),
                                      place_letters[static_cast<std::size_t>(key.chatless)],
                                      cursor.upstream_only ? "o" : "", cursor.reversed ? "r" : "");
    append(payload, written(key.shown));
    append(payload, cursor.upstream.value_or(""));
    payload += key.id;
    return fmt::format("{}{}.{}", prefix, to_base64url(payload), sealed(prefix, payload, secret));
}

Cursor read_cursor(std::string_view text, const cache::ListFilter& filter, std::string_view secret)
{
    if (!is_our_cursor(text)) refuse();
    const bool earlier = text.starts_with(earlier_prefix);
    const std::string_view version = earlier ? "" : prefix; // they sealed the payload alone
    text.remove_prefix(prefix.size());
    const auto dot = text.find('.');
    const auto payload = from_base64url(text.substr(0, dot));
    if (dot == text.npos || !payload || !same_bytes(sealed(version, *payload, secret), text.substr(dot + 1))) refuse();

    std::string_view rest = *payload;
    if (next_part(rest) != query_mark(filter)) refuse();
    Cursor cursor;
    cursor.key.when = read_when(next_part(rest));
    cursor.key.bound = read_when(next_part(rest));
    if (!earlier) read_more(rest, cursor);
    cursor.key.id = rest;
    return cursor;
}

} // namespace alli::proxy
