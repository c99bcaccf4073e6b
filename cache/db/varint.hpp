// SPDX-License-Identifier: Apache-2.0
// Whole numbers as they are stored: seven bits a byte, lowest first. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::cache {

inline void append_varint(std::string& out, std::uint64_t number)
{
    for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
    out += static_cast<char>(number);
}

/// Takes one off the front of a text; none: it is cut short, or too large.
inline std::optional<std::uint64_t> take_varint(std::string_view& text)
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63 && !text.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(text.front());
        text.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
}

} // namespace alli::cache
