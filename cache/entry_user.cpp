// SPDX-License-Identifier: Apache-2.0
#include "cache/entry_user.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>

namespace alli::cache {
namespace {

constexpr std::string_view encoded_mark = "base64:";

// Either alphabet, padded or not.
std::optional<std::uint32_t> find_digit(char c)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if (const auto at = digits.find(c); at != std::string_view::npos) return static_cast<std::uint32_t>(at);
    if (c == '+' || c == '-') return 62U;
    if (c == '/' || c == '_') return 63U;
    return std::nullopt;
}

std::optional<std::string> decode(std::string_view text)
{
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string bytes;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : text) {
        const auto digit = find_digit(c);
        if (!digit) return std::nullopt;
        bits = (bits << 6) | *digit;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes.push_back(static_cast<char>((bits >> held) & 0xff));
    }
    return bytes;
}

} // namespace

std::vector<std::string> users_named_in(std::string_view headers)
{
    const auto json = nlohmann::json::parse(headers, nullptr, false);
    const auto own = json.is_object() ? json.find("OWN-USER-ID") : json.end();
    if (!json.is_object() || own == json.end() || !own->is_string()) return {};
    std::vector<std::string> users{own->get<std::string>()};
    if (users.front().empty()) return {};
    if (!users.front().starts_with(encoded_mark)) return users;
    if (auto user = decode(std::string_view(users.front()).substr(encoded_mark.size())))
        users.push_back(std::move(*user));
    return users;
}

} // namespace alli::cache
