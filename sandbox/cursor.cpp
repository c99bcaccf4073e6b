// SPDX-License-Identifier: Apache-2.0
#include "sandbox/cursor.hpp"

#include "sandbox/encoding.hpp"

#include <spdlog/fmt/fmt.h>

#include <charconv>

namespace alli::sandbox {
namespace {

// Takes the text up to the next '|'.
std::string_view next_field(std::string_view& rest)
{
    const std::string_view field = rest.substr(0, rest.find('|'));
    rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    return field;
}

std::optional<std::int64_t> whole(std::string_view text)
{
    std::int64_t value = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (bad != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

} // namespace

std::string Cursor::text() const
{
    const std::string time = at ? fmt::format("{}", at->time_since_epoch().count()) : "";
    return base64url(fmt::format("c|{}|{}|{}|{}|{}", order, after_empty_page ? 1 : 0, position, time, id));
}

std::optional<Cursor> read_cursor(std::string_view text)
{
    const auto plain = from_base64(text);
    if (!plain || !plain->starts_with("c|")) return std::nullopt;
    std::string_view rest = std::string_view{*plain}.substr(2);

    Cursor cursor;
    const std::string_view order = next_field(rest);
    cursor.after_empty_page = next_field(rest) == "1";
    const auto position = whole(next_field(rest));
    const std::string_view time = next_field(rest);
    const auto micros = whole(time);
    if (order.size() != 1 || !position || *position < -1 || (!time.empty() && !micros)) return std::nullopt;
    cursor.order = order.front();
    cursor.position = *position;
    if (micros) cursor.at = Instant{std::chrono::microseconds{*micros}};
    cursor.id = rest;
    return cursor;
}

} // namespace alli::sandbox
