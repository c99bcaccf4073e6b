// SPDX-License-Identifier: Apache-2.0
#include "upstream/same_id.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace alli::upstream {
namespace {

struct TypedId {
    std::string type; // empty: not said
    std::string value;
};

int sextet_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

// Either alphabet, padded or not.
std::optional<std::string> from_base64(std::string_view text)
{
    text = text.substr(0, text.find_last_not_of('=') + 1);
    std::string bytes;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : text) {
        const int sextet = sextet_of(c);
        if (sextet < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(sextet);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes += static_cast<char>(bits >> held & 0xff);
    }
    return bytes;
}

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "Conversation:6006...": letters, a colon, and something that can be read.
std::optional<TypedId> split(std::string_view text)
{
    const auto colon = text.find(':');
    if (colon == text.npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
    if (!std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), is_letter)) return std::nullopt;
    if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) return std::nullopt;
    return TypedId{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

TypedId typed(std::string_view text)
{
    if (auto plain = split(text)) return std::move(*plain);
    const auto decoded = from_base64(text);
    if (auto inner = decoded ? split(*decoded) : std::nullopt) return std::move(*inner);
    return {"", std::string(text)};
}

} // namespace

bool is_same_id(std::string_view a, std::string_view b)
{
    if (a == b) return true;
    const TypedId left = typed(a), right = typed(b);
    return left.value == right.value && (left.type == right.type || left.type.empty() || right.type.empty());
}

} // namespace alli::upstream
