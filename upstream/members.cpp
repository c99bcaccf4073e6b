// SPDX-License-Identifier: Apache-2.0
#include "upstream/members.hpp"

#include "alli/json_scan.hpp"

#include <algorithm>

namespace alli::upstream {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

bool is_at(std::string_view text, std::size_t at, char wanted)
{
    return at < text.size() && text[at] == wanted;
}

} // namespace

// Stricter than JsonMembers: commas and colons stand where they belong.
std::optional<Members> members_of(std::string_view text)
{
    Members members;
    std::size_t at = skip_blanks(text, text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0);
    if (!is_at(text, at, '{')) return std::nullopt;
    at = skip_blanks(text, at + 1);
    const bool empty = is_at(text, at, '}');
    while (!empty) {
        const std::size_t name_end = is_at(text, at, '"') ? end_of_value(text, at) : text.npos;
        const std::size_t colon = skip_blanks(text, name_end);
        const std::size_t value = is_at(text, colon, ':') ? skip_blanks(text, colon + 1) : text.size();
        const std::size_t value_end = end_of_value(text, value);
        if (value_end == text.npos || value_end == value) return std::nullopt;
        members.push_back({text.substr(at + 1, name_end - at - 2), text.substr(value, value_end - value)});
        at = skip_blanks(text, value_end);
        if (!is_at(text, at, ',')) break;
        at = skip_blanks(text, at + 1);
    }
    if (!is_at(text, at, '}') || skip_blanks(text, at + 1) != text.size()) return std::nullopt;
    return members;
}

std::string_view value_of(const Members& members, std::string_view name) noexcept
{
    const auto found =
        std::find_if(members.rbegin(), members.rend(), [&](const Member& member) { return member.name == name; });
    return found == members.rend() ? std::string_view() : found->value;
}

bool is_object(std::string_view value) noexcept
{
    return value.starts_with('{');
}

bool is_string(std::string_view value) noexcept
{
    return value.starts_with('"');
}

bool is_integer(std::string_view value) noexcept
{
    const auto digits = value.substr(value.starts_with('-') ? 1 : 0);
    return !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
}

std::string_view scalar_text(std::string_view value) noexcept
{
    if (is_integer(value)) return value;
    if (!is_string(value) || value.size() < 2 || value.find('\\') != value.npos) return {};
    return value.substr(1, value.size() - 2);
}

} // namespace alli::upstream
